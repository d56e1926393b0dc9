import { readFileSync } from "node:fs";
import fs from "node:fs/promises";
import path from "node:path";
import { withFileLock } from "./file-lock.js";
import { cacheFolder } from "./paths.js";
import { findOnPath, runCommand } from "./run-command.js";

/** What a client passes to `tls.connect`: whom it trusts and, for mutual TLS, who it is. All PEM. */
export interface ClientTls {
  ca: string;
  cert?: string | undefined;
  key?: string | undefined;
}

/** Paths of PEM files (keys in PKCS #8) of one test authority. */
export interface Certificates {
  ca: string;
  /** For 127.0.0.1, ::1 and localhost. */
  serverCert: string;
  serverKey: string;
  /** Key and certificate in one file, as ZooKeeper wants it. */
  serverBoth: string;
  /** Common name "kvasir-client". */
  clientCert: string;
  clientKey: string;
  /** An authority that signed none of these: a client that trusts only it must refuse the servers. */
  strangerCa: string;
}

/** The certificates of this checkout, made with the `openssl` program the first time and kept in the cache. */
export async function testCertificates(): Promise<Certificates> {
  const folder = path.join(cacheFolder, "certificates");
  await withFileLock(`${folder}.lock`, async () => {
    const isThere = await fs.access(folder).then(
      () => true,
      () => false,
    );
    if (isThere) return;
    const work = await fs.mkdtemp(`${folder}-`);
    try {
      await makeCertificates(work);
      await fs.rename(work, folder);
    } finally {
      await fs.rm(work, { recursive: true, force: true });
    }
  });
  return filesIn(folder);
}

/** The trust of a client in the test servers, with the client certificate for mutual TLS. */
export function clientTls(certificates: Certificates, options: { mutual: boolean }): ClientTls {
  const ca = readFileSync(certificates.ca, "utf8");
  if (!options.mutual) return { ca };
  return { ca, cert: readFileSync(certificates.clientCert, "utf8"), key: readFileSync(certificates.clientKey, "utf8") };
}

function filesIn(folder: string): Certificates {
  const file = (name: string): string => path.join(folder, name);
  return {
    ca: file("ca.pem"),
    serverCert: file("server.pem"),
    serverKey: file("server-key.pem"),
    serverBoth: file("server-both.pem"),
    clientCert: file("client.pem"),
    clientKey: file("client-key.pem"),
    strangerCa: file("stranger.pem"),
  };
}

async function makeCertificates(folder: string): Promise<void> {
  if (findOnPath("openssl") === undefined) {
    throw new Error(
      "test certificates are made with the openssl program, which is not on PATH: install it " +
        "(Debian and Ubuntu: apt-get install openssl; macOS: brew install openssl)",
    );
  }
  await fs.writeFile(path.join(folder, "openssl.cnf"), configuration);
  const openssl = (words: string, subject: string[] = []) =>
    runCommand("openssl", [...words.split(" "), ...subject], { cwd: folder, timeoutMs: 30_000 });
  const newKey = "-config openssl.cnf -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes";
  for (const name of ["ca", "stranger"]) {
    await openssl(
      `req -x509 ${newKey} -extensions authority -days 3650 -keyout ${name}-key.pem -out ${name}.pem -subj`,
      [`/CN=Kvasir test authority ${name}`],
    );
  }
  for (const [name, subject] of Object.entries({ server: "/CN=localhost", client: "/CN=kvasir-client" })) {
    await openssl(`req -new ${newKey} -keyout ${name}-key.pem -out ${name}.csr -subj`, [subject]);
    await openssl(
      `x509 -req -in ${name}.csr -CA ca.pem -CAkey ca-key.pem -CAcreateserial -days 3650 ` +
        `-extfile openssl.cnf -extensions ${name} -out ${name}.pem`,
    );
  }
  const both = ["server-key.pem", "server.pem"].map((name) => readFileSync(path.join(folder, name), "utf8"));
  await fs.writeFile(path.join(folder, "server-both.pem"), both.join(""));
}

/** The server's certificate is also good for clients, as etcd's gateway dials its own server with it. */
const configuration = `
[req]
distinguished_name = subject
[subject]
[authority]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
[server]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = serverAuth, clientAuth
subjectAltName = IP:127.0.0.1, IP:::1, DNS:localhost
[client]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = clientAuth
`;

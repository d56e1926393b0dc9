import { writeFileSync } from "node:fs";
import path from "node:path";
import { type Certificates, type ClientTls, clientTls, testCertificates } from "./certificates.js";
import type { Storage } from "./data-folder.js";
import { fourLetterWord } from "./four-letter-word.js";
import { givenServer } from "./given-server.js";
import type { Member, MemberPlan } from "./member.js";
import { type ServerParts, type Site, startServer, TestServer } from "./test-server.js";
import { findZooKeeper, zooKeeperArguments } from "./zookeeper-program.js";

/** How a ZooKeeper is started. Times are milliseconds. */
export interface ZooKeeperOptions {
  /** "3.4", "3.8" (the default), "3.9" or a whole version of `zookeeperReleases`. */
  version?: string | undefined;
  /** TLS towards clients (not on 3.4); "mutual" also asks clients for a certificate. */
  tls?: boolean | "mutual" | undefined;
  /** A user that may log in by SASL DIGEST-MD5; with `required` nobody gets a session otherwise (3.6 and later). */
  sasl?: { user: string; password: string; required?: boolean | undefined } | undefined;
  /** How many members. Default 1. */
  cluster?: 1 | 3 | undefined;
  /** The unit of its time: sessions end on whole ticks. Default 500. */
  tickTime?: number | undefined;
  /** The shortest session timeout it grants. Default 1,000. */
  minSessionTimeout?: number | undefined;
  /** The longest session timeout it grants. Default 40,000. */
  maxSessionTimeout?: number | undefined;
  /** More lines of zoo.cfg. */
  extraConfig?: Readonly<Record<string, string | number | boolean>> | undefined;
  /** More of Java's arguments, such as "-Djute.maxbuffer=4194304". */
  javaArgs?: readonly string[] | undefined;
  /** Never the server that the environment gives, as the test will stop, pause or empty it. Default false. */
  own?: boolean | undefined;
  /** Default "memory". */
  storage?: Storage | undefined;
}

/** A running ZooKeeper. Endpoints are "127.0.0.1:2181", without a scheme. */
export class ZooKeeperServer extends TestServer {
  /** What a client needs to connect; undefined without TLS. */
  readonly tls: ClientTls | undefined;
  readonly sasl: { user: string; password: string } | undefined;

  constructor(parts: ServerParts, tls: ClientTls | undefined, sasl: ZooKeeperOptions["sasl"]) {
    super(parts);
    this.tls = tls;
    this.sasl = sasl;
  }

  /** Asks a member (the first by default) by one of ZooKeeper's four-letter words: "srvr", "cons", "wchp" ... */
  ask(word: string, member = this.member): Promise<string> {
    return fourLetterWord(member.host, word, { tls: this.tls });
  }
}

/** Ports of one member: for clients, between the members, and for their elections. */
const portsEach = 3;

/** Starts a ZooKeeper and waits until it serves clients. The caller closes it. */
export async function startZooKeeper(options: ZooKeeperOptions = {}): Promise<ZooKeeperServer> {
  const given = await givenServer("zookeeper", options, (member) => isLeader(member), askVersion);
  if (given !== undefined) return new ZooKeeperServer(given, undefined, undefined);
  const program = await findZooKeeper(options.version);
  const certificates = options.tls === undefined || options.tls === false ? undefined : await testCertificates();
  if (certificates !== undefined && program.version.startsWith("3.4.")) {
    throw new Error("ZooKeeper 3.4 has no TLS: take 3.8 or 3.9");
  }
  const tls = certificates && clientTls(certificates, { mutual: options.tls === "mutual" });
  const parts = await startServer(program, {
    name: "zookeeper",
    storage: options.storage,
    portCount: (options.cluster ?? 1) * portsEach,
    plan: (site) => planMembers(site, options, certificates, tls),
    isLeader: (member) => isLeader(member, tls),
  });
  return new ZooKeeperServer(parts, tls, options.sasl);
}

async function isLeader(member: Member, tls?: ClientTls): Promise<boolean> {
  return /^Mode: (leader|standalone)$/m.test(await fourLetterWord(member.host, "srvr", { tls }));
}

async function askVersion(endpoint: string): Promise<string | undefined> {
  return /^Zookeeper version: (\d+\.\d+\.\d+)/m.exec(await fourLetterWord(endpoint, "srvr"))?.[1];
}

function planMembers(
  site: Site,
  options: ZooKeeperOptions,
  certificates: Certificates | undefined,
  tls: ClientTls | undefined,
): MemberPlan[] {
  const count = options.cluster ?? 1;
  const ids = Array.from({ length: count }, (_, at) => at + 1);
  const port = (id: number, which: 0 | 1 | 2): number => site.ports[(id - 1) * portsEach + which]!;
  const ensemble = ids.map((id) => [`server.${id}`, `127.0.0.1:${port(id, 1)}:${port(id, 2)}`] as const);
  const jaasFile = path.join(site.folder, "jaas.conf");
  if (options.sasl !== undefined) writeFileSync(jaasFile, jaas(options.sasl));
  return ids.map((id) => {
    const name = `zookeeper${id}`;
    const endpoint = `127.0.0.1:${port(id, 0)}`;
    const dataFolder = path.join(site.folder, name);
    const configFile = path.join(site.folder, `${name}.cfg`);
    const configuration = {
      dataDir: dataFolder,
      tickTime: options.tickTime ?? 500,
      minSessionTimeout: options.minSessionTimeout ?? 1_000,
      maxSessionTimeout: options.maxSessionTimeout ?? 40_000,
      // In ticks: time enough for a member that starts on a busy machine, and soon enough to miss a paused leader.
      initLimit: 40,
      syncLimit: 6,
      maxClientCnxns: 0,
      "admin.enableServer": false,
      "4lw.commands.whitelist": "*",
      ...(certificates === undefined
        ? { clientPort: port(id, 0), clientPortAddress: "127.0.0.1" }
        : {
            secureClientPort: port(id, 0),
            secureClientPortAddress: "127.0.0.1",
            ...tlsSettings(certificates, options.tls === "mutual"),
          }),
      ...(options.sasl === undefined ? {} : saslSettings(options.sasl.required === true)),
      ...(count === 1 ? {} : Object.fromEntries(ensemble)),
      ...options.extraConfig,
    };
    const lines = Object.entries(configuration).map(([key, value]) => `${key}=${value}\n`);
    writeFileSync(configFile, lines.join(""));
    return {
      name,
      endpoint,
      program: site.program,
      folders: [dataFolder, site.folder, ...(certificates === undefined ? [] : [path.dirname(certificates.ca)])],
      args: zooKeeperArguments(
        [
          "-Dzookeeper.preAllocSize=1024", // KB of transaction log reserved at a time; the default is 64 MB
          ...(options.sasl === undefined ? [] : [`-Djava.security.auth.login.config=${jaasFile}`]),
          ...(options.javaArgs ?? []),
        ],
        configFile,
      ),
      fillDataFolder: (folder) => writeFileSync(path.join(folder, "myid"), `${id}\n`),
      isReady: async () => (await fourLetterWord(endpoint, "srvr", { tls })).includes("Mode: "),
    };
  });
}

function tlsSettings(certificates: Certificates, mutual: boolean): Record<string, string> {
  return {
    serverCnxnFactory: "org.apache.zookeeper.server.NettyServerCnxnFactory",
    "ssl.keyStore.location": certificates.serverBoth,
    "ssl.trustStore.location": certificates.ca,
    "ssl.clientAuth": mutual ? "need" : "none",
  };
}

function saslSettings(required: boolean): Record<string, string | boolean> {
  return {
    "authProvider.1": "org.apache.zookeeper.server.auth.SASLAuthenticationProvider",
    ...(required ? { sessionRequireClientSASLAuth: true } : {}),
  };
}

function jaas(sasl: { user: string; password: string }): string {
  return `Server {
  org.apache.zookeeper.server.auth.DigestLoginModule required
  user_${sasl.user}="${sasl.password}";
};
`;
}

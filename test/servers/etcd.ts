import path from "node:path";
import { type Certificates, type ClientTls, clientTls, testCertificates } from "./certificates.js";
import type { Storage } from "./data-folder.js";
import { enableEtcdAuth } from "./etcd-auth.js";
import { givenServer } from "./given-server.js";
import { httpOk } from "./http-request.js";
import type { Member, MemberPlan } from "./member.js";
import { locateProgram, type Program } from "./program.js";
import { etcdReleases, findRelease, minorVersion } from "./releases.js";
import { type ServerParts, type Site, startServer, TestServer } from "./test-server.js";
import { binaryWays } from "./ways.js";

/** How an etcd is started. */
export interface EtcdOptions {
  /** "3.3", "3.4" (the default), "3.5" or a whole version of `etcdReleases`. */
  version?: string | undefined;
  /** Serve the v2 API. Default false; 3.3 always does. */
  v2?: boolean | undefined;
  /** TLS towards clients; "mutual" also asks clients for a certificate. */
  tls?: boolean | "mutual" | undefined;
  /** Turn on authentication with this user, who has the role root. The user "root" gets the same password. */
  auth?: { user: string; password: string } | undefined;
  /** `--quota-backend-bytes`. */
  quotaBytes?: number | undefined;
  /** How many members. Default 1. */
  cluster?: 1 | 3 | undefined;
  extraArgs?: readonly string[] | undefined;
  /** Never the server that the environment gives, as the test will stop, pause or empty it. Default false. */
  own?: boolean | undefined;
  /** Default "memory". */
  storage?: Storage | undefined;
}

/** A running etcd. */
export class EtcdServer extends TestServer {
  /** What a client needs to connect; undefined without TLS. */
  readonly tls: ClientTls | undefined;
  readonly auth: { user: string; password: string } | undefined;

  constructor(parts: ServerParts, tls: ClientTls | undefined, auth: EtcdOptions["auth"]) {
    super(parts);
    this.tls = tls;
    this.auth = auth;
  }
}

/** Starts an etcd and waits until it answers. The caller closes it. */
export async function startEtcd(options: EtcdOptions = {}): Promise<EtcdServer> {
  const given = await givenServer("etcd", options, (member) => isLeader(member), askVersion);
  if (given !== undefined) return new EtcdServer(given, undefined, undefined);
  const program = await findEtcd(options.version);
  const certificates = options.tls === undefined || options.tls === false ? undefined : await testCertificates();
  const tls = certificates && clientTls(certificates, { mutual: options.tls === "mutual" });
  const cluster = options.cluster ?? 1;
  const parts = await startServer(program, {
    name: "etcd",
    storage: options.storage,
    portCount: cluster * 2,
    plan: (site) => planMembers(site, options, certificates, tls),
    isLeader: (member) => isLeader(member, tls),
  });
  const server = new EtcdServer(parts, tls, options.auth);
  try {
    if (options.auth !== undefined) await enableEtcdAuth(server, options.auth, { v2: options.v2 === true });
  } catch (error) {
    await server.close();
    throw error;
  }
  return server;
}

async function isLeader(member: Member, tls?: ClientTls): Promise<boolean> {
  const metrics = await httpOk(`${member.endpoint}/metrics`, { tls });
  return /^etcd_server_is_leader 1$/m.test(metrics);
}

async function askVersion(endpoint: string): Promise<string | undefined> {
  return (JSON.parse(await httpOk(`${endpoint}/version`)) as { etcdserver?: string }).etcdserver;
}

/** The etcd program of a version. */
export function findEtcd(version?: string): Promise<Program> {
  const release = findRelease(etcdReleases, version);
  const ways = binaryWays({
    name: "etcd",
    binary: "etcd",
    versionArgument: "--version",
    debianPackage: "etcd-server",
    release,
    wanted: version,
  });
  return locateProgram(`etcd ${version ?? ""}`.trim(), ways);
}

function planMembers(
  site: Site,
  options: EtcdOptions,
  certificates: Certificates | undefined,
  tls: ClientTls | undefined,
): MemberPlan[] {
  const count = options.cluster ?? 1;
  const scheme = certificates === undefined ? "http" : "https";
  const names = Array.from({ length: count }, (_, at) => `etcd${at + 1}`);
  const clientUrls = names.map((_, at) => `${scheme}://127.0.0.1:${site.ports[at * 2]}`);
  const peerUrls = names.map((_, at) => `http://127.0.0.1:${site.ports[at * 2 + 1]}`);
  const initialCluster = names.map((name, at) => `${name}=${peerUrls[at]}`).join(",");
  return names.map((name, at) => {
    const dataFolder = path.join(site.folder, name);
    return {
      name,
      endpoint: clientUrls[at]!,
      program: site.program,
      folders: [dataFolder, ...(certificates === undefined ? [] : [path.dirname(certificates.ca)])],
      args: [
        `--name=${name}`,
        `--data-dir=${dataFolder}`,
        `--listen-client-urls=${clientUrls[at]}`,
        `--advertise-client-urls=${clientUrls[at]}`,
        `--listen-peer-urls=${peerUrls[at]}`,
        `--initial-advertise-peer-urls=${peerUrls[at]}`,
        `--initial-cluster=${initialCluster}`,
        "--initial-cluster-state=new",
        ...(minorVersion(site.program.version) === "3.3" ? [] : [`--enable-v2=${options.v2 === true}`]),
        ...(options.quotaBytes === undefined ? [] : [`--quota-backend-bytes=${options.quotaBytes}`]),
        ...(certificates === undefined ? [] : tlsArguments(certificates, options.tls === "mutual")),
        ...(options.extraArgs ?? []),
      ],
      isReady: async () => (await httpOk(`${clientUrls[at]}/health`, { tls })).includes('"health":"true"'),
      cannotLoseData:
        count === 1 ? undefined : "the other members know it by its old log; it would have to be removed and added",
    };
  });
}

function tlsArguments(certificates: Certificates, mutual: boolean): string[] {
  const own = [`--cert-file=${certificates.serverCert}`, `--key-file=${certificates.serverKey}`];
  return mutual ? [...own, `--trusted-ca-file=${certificates.ca}`, "--client-cert-auth"] : own;
}

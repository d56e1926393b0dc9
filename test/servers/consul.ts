import { writeFileSync } from "node:fs";
import path from "node:path";
import { type Certificates, type ClientTls, clientTls, testCertificates } from "./certificates.js";
import type { Storage } from "./data-folder.js";
import { givenServer } from "./given-server.js";
import { httpOk, type TestRequest } from "./http-request.js";
import type { Member, MemberPlan } from "./member.js";
import { locateProgram, type Program } from "./program.js";
import { consulReleases, findRelease } from "./releases.js";
import { type ServerParts, type Site, startServer, TestServer } from "./test-server.js";
import { binaryWays } from "./ways.js";

/** How a Consul is started. */
export interface ConsulOptions {
  /** "1.8" or a whole version of `consulReleases`; another one is taken from PATH only. */
  version?: string | undefined;
  /** The shortest session ttl it accepts, for example "1s". Default: Consul's own, 10 s. */
  sessionTtlMin?: string | undefined;
  /** Turn on access control, denying by default. `token` is the management token, a UUID. */
  acl?: { token: string } | undefined;
  /** Serve HTTPS instead of HTTP; "mutual" also asks clients for a certificate. */
  tls?: boolean | "mutual" | undefined;
  /** How many servers. Default 1. */
  cluster?: 1 | 3 | undefined;
  /** More of Consul's configuration, for example `{ limits: { http_max_conns_per_client: 1000 } }`. */
  extraConfig?: Readonly<Record<string, unknown>> | undefined;
  /** Never the server that the environment gives, as the test will stop, pause or empty it. Default false. */
  own?: boolean | undefined;
  /** Default "memory". */
  storage?: Storage | undefined;
}

/** A running Consul. */
export class ConsulServer extends TestServer {
  /** What a client needs to connect; undefined without TLS. */
  readonly tls: ClientTls | undefined;
  /** The management token; undefined without access control. */
  readonly token: string | undefined;

  constructor(parts: ServerParts, tls: ClientTls | undefined, token: string | undefined) {
    super(parts);
    this.tls = tls;
    this.token = token;
  }
}

/** Ports of one server: its API, its raft and its gossip. */
const portsEach = 3;

/** Starts a Consul in server mode and waits until it has a leader and takes writes. The caller closes it. */
export async function startConsul(options: ConsulOptions = {}): Promise<ConsulServer> {
  const given = await givenServer("consul", options, (member) => isLeader(member), askVersion);
  if (given !== undefined) return new ConsulServer(given, undefined, undefined);
  const program = await findConsul(options.version);
  const certificates = options.tls === undefined || options.tls === false ? undefined : await testCertificates();
  const tls = certificates && clientTls(certificates, { mutual: options.tls === "mutual" });
  const parts = await startServer(program, {
    name: "consul",
    storage: options.storage,
    portCount: (options.cluster ?? 1) * portsEach,
    plan: (site) => planMembers(site, options, certificates, tls),
    isLeader: (member) => isLeader(member, request(options, tls)),
  });
  return new ConsulServer(parts, tls, options.acl?.token);
}

async function isLeader(member: Member, access: TestRequest = {}): Promise<boolean> {
  return (await askAgent(member.endpoint, access)).Stats.consul.leader === "true";
}

async function askVersion(endpoint: string): Promise<string | undefined> {
  return (await askAgent(endpoint)).Config.Version;
}

async function askAgent(endpoint: string, access: TestRequest = {}): Promise<AgentSelf> {
  return JSON.parse(await httpOk(`${endpoint}/v1/agent/self`, access)) as AgentSelf;
}

/** The parts of `/v1/agent/self` that are read here. */
interface AgentSelf {
  Config: { Version: string };
  Stats: { consul: { leader: string } };
}

/** The consul program of a version. */
export function findConsul(version?: string): Promise<Program> {
  const ways = binaryWays({
    name: "Consul",
    binary: "consul",
    versionArgument: "version",
    debianPackage: "consul",
    release: findRelease(consulReleases, version),
    wanted: version,
  });
  return locateProgram(`Consul ${version ?? ""}`.trim(), ways);
}

function planMembers(
  site: Site,
  options: ConsulOptions,
  certificates: Certificates | undefined,
  tls: ClientTls | undefined,
): MemberPlan[] {
  const count = options.cluster ?? 1;
  const serfPorts = Array.from({ length: count }, (_, at) => site.ports[at * portsEach + 2]!);
  return serfPorts.map((serfPort, at) => {
    const [apiPort, raftPort] = [site.ports[at * portsEach]!, site.ports[at * portsEach + 1]!];
    const name = `consul${at + 1}`;
    const dataFolder = path.join(site.folder, name);
    const configFile = path.join(site.folder, `${name}.json`);
    const endpoint = `${certificates === undefined ? "http" : "https"}://127.0.0.1:${apiPort}`;
    const configuration = {
      node_name: name,
      server: true,
      bootstrap_expect: count,
      retry_join: serfPorts.filter((port) => port !== serfPort).map((port) => `127.0.0.1:${port}`),
      retry_interval: "1s",
      data_dir: dataFolder,
      bind_addr: "127.0.0.1",
      client_addr: "127.0.0.1",
      ports: {
        http: certificates === undefined ? apiPort : -1,
        https: certificates === undefined ? -1 : apiPort,
        server: raftPort,
        serf_lan: serfPort,
        serf_wan: -1,
        dns: -1,
        grpc: -1,
      },
      // The fastest elections it can be set to: heartbeat and election timeouts of one second.
      performance: { raft_multiplier: 1, leave_drain_time: "0s" },
      // A stopped server comes back as the same member; leaving would take it out of the cluster.
      leave_on_terminate: false,
      skip_leave_on_interrupt: true,
      disable_update_check: true,
      disable_host_node_id: true,
      ...(options.sessionTtlMin === undefined ? {} : { session_ttl_min: options.sessionTtlMin }),
      ...(options.acl === undefined ? {} : { acl: aclSettings(options.acl.token, site.program.version) }),
      ...(certificates === undefined ? {} : tlsSettings(certificates, options.tls === "mutual")),
      ...options.extraConfig,
    };
    writeFileSync(configFile, JSON.stringify(configuration, undefined, 2));
    return {
      name,
      endpoint,
      program: site.program,
      folders: [dataFolder, site.folder, ...(certificates === undefined ? [] : [path.dirname(certificates.ca)])],
      args: ["agent", "-config-file", configFile],
      isReady: () => isReady(endpoint, options, tls),
      cannotLoseData: count === 1 ? undefined : "the other servers know it by its old node id",
    };
  });
}

/** A leader is there, and a write goes through: right after an election, writes are still refused for a while. */
async function isReady(endpoint: string, options: ConsulOptions, tls: ClientTls | undefined): Promise<boolean> {
  if ((await httpOk(`${endpoint}/v1/status/leader`, { tls })) === '""') return false;
  const key = `${endpoint}/v1/kv/kvasir-test-ready`;
  await httpOk(key, { ...request(options, tls), method: "PUT" });
  await httpOk(key, { ...request(options, tls), method: "DELETE" });
  return true;
}

function request(options: ConsulOptions, tls: ClientTls | undefined): TestRequest {
  return { tls, headers: options.acl === undefined ? undefined : { "x-consul-token": options.acl.token } };
}

/** The management token was called `master` before Consul 1.11. */
function aclSettings(token: string, version: string): Record<string, unknown> {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  const name = major > 1 || minor >= 11 ? "initial_management" : "master";
  return { enabled: true, default_policy: "deny", tokens: { [name]: token, agent: token } };
}

function tlsSettings(certificates: Certificates, mutual: boolean): Record<string, unknown> {
  return {
    ca_file: certificates.ca,
    cert_file: certificates.serverCert,
    key_file: certificates.serverKey,
    verify_incoming_https: mutual,
  };
}

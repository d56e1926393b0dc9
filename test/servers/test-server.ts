import { createDataFolder, removeDataFolder, type Storage } from "./data-folder.js";
import { Member, type MemberPlan } from "./member.js";
import { claimPorts, releasePort } from "./ports.js";
import type { Program } from "./program.js";
import { waitUntil } from "./wait-until.js";

/** What a started server is made of. */
export interface ServerParts {
  program: Program;
  members: readonly Member[];
  ports: readonly number[];
  /** Undefined for a server that was running already and stays so. */
  folder: string | undefined;
  isLeader: (member: Member) => Promise<boolean>;
}

/** A real server that a test has started: one member, or a cluster of three. */
export class TestServer implements AsyncDisposable {
  /** "etcd 3.4.23, unpacked from Debian bookworm". */
  readonly description: string;
  /** The version that is really running. */
  readonly version: string;
  readonly members: readonly Member[];
  readonly #parts: ServerParts;

  constructor(parts: ServerParts) {
    this.#parts = parts;
    this.description = parts.program.description;
    this.version = parts.program.version;
    this.members = parts.members;
  }

  /** The only member, or the first. */
  get member(): Member {
    return this.members[0]!;
  }

  /** Where clients reach the first member. */
  get endpoint(): string {
    return this.member.endpoint;
  }

  get endpoints(): string[] {
    return this.members.map((member) => member.endpoint);
  }

  /** The endpoints without scheme, as they stand in a connection URL: "127.0.0.1:2379,127.0.0.1:2381". */
  get hosts(): string {
    return this.members.map((member) => member.host).join(",");
  }

  /**
   * The member that leads now, or undefined while there is none, or while two believe to lead because one has not heard
   * of its successor yet. Members that are down or paused are not asked.
   */
  async leader(): Promise<Member | undefined> {
    const leads = async (member: Member): Promise<boolean> => {
      if (!member.isRunning || member.isPaused) return false;
      return this.#parts.isLeader(member).catch(() => false);
    };
    const answers = await Promise.all(this.members.map(leads));
    const leaders = this.members.filter((_, at) => answers[at]);
    return leaders.length === 1 ? leaders[0] : undefined;
  }

  /** Waits until a member leads, `not` being one that must not be it: the one that was just killed or paused. */
  waitForLeader(options: { not?: Member | undefined; timeoutMs?: number | undefined } = {}): Promise<Member> {
    const { not, timeoutMs = 30_000 } = options;
    const check = async (): Promise<Member | false> => {
      const leader = await this.leader();
      return leader !== undefined && leader !== not && leader;
    };
    return waitUntil(`${this.description}: no leader`, check, { timeoutMs });
  }

  /** Ends all members and starts them on the same ports, with their data or with none. */
  async restart(options: { emptyData?: boolean | undefined } = {}): Promise<void> {
    const { emptyData = false } = options;
    await Promise.all(this.members.map((member) => (emptyData ? member.kill() : member.stop())));
    if (emptyData) for (const member of this.members) member.emptyData();
    await startAll(this.members);
  }

  /** Ends all members and removes their data. */
  async close(): Promise<void> {
    await endAll(this.#parts);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

/** What `startServer` gives the backend's own code to plan its members with. */
export interface Site {
  program: Program;
  /** A folder of this server's own. */
  folder: string;
  ports: readonly number[];
}

/** Starts a server of `program`; when another program took one of its ports meanwhile, once more on others. */
export async function startServer(
  program: Program,
  options: {
    name: string;
    storage?: Storage | undefined;
    portCount: number;
    plan: (site: Site) => MemberPlan[];
    isLeader: (member: Member) => Promise<boolean>;
  },
): Promise<ServerParts> {
  for (let attempt = 1; ; attempt++) {
    const ports = await claimPorts(options.portCount);
    const folder = createDataFolder(options.name, options.storage ?? "memory");
    const members = options.plan({ program, folder, ports }).map((plan) => new Member(plan));
    const parts: ServerParts = { program, members, ports, folder, isLeader: options.isLeader };
    try {
      await startAll(members);
      return parts;
    } catch (error) {
      await endAll(parts);
      const portTaken = members.some((member) => /address already in use/i.test(member.logs()));
      if (!portTaken || attempt === 3) throw error;
    }
  }
}

async function startAll(members: readonly Member[]): Promise<void> {
  for (const member of members) member.spawn();
  await Promise.all(members.map((member) => member.ready()));
}

/** Killed, not stopped: the data goes anyway, and members of a cluster would hold elections on the way out. */
async function endAll(parts: ServerParts): Promise<void> {
  if (parts.folder === undefined) return;
  await Promise.all(parts.members.map((member) => member.kill()));
  removeDataFolder(parts.folder);
  for (const port of parts.ports) releasePort(port);
}

import type { Lease, Request } from "../core/driver.js";
import { isStoreError } from "../core/errors.js";
import { ConsulError } from "./client/errors.js";
import type { ConsulHttp } from "./client/http.js";
import { type KvOperation, transact } from "./client/transaction.js";
import { refusal, storeError } from "./errors.js";

/** How sessions are made. */
export interface SessionOptions {
  /** Shows in `consul` tools and the interface. */
  readonly name: string;
  readonly ttlMs: number;
  /** How long Consul refuses the lock after it took it from its holder, in milliseconds. */
  readonly lockDelayMs: number;
}

/**
 * Makes a session whose keys go with it, and which depends on its renewal alone: behaviour `delete`, and no checks, since
 * the default serfHealth would end it with the agent's health (Consul's HTTP API, "Session").
 */
export async function createSession(http: ConsulHttp, options: SessionOptions, request: Request): Promise<string> {
  const { name, ttlMs, lockDelayMs } = options;
  const body = JSON.stringify({
    Name: name,
    TTL: `${ttlMs}ms`,
    Behavior: "delete",
    // `0` means the default of 15 s.
    LockDelay: `${Math.max(lockDelayMs, 1)}ms`,
    NodeChecks: [],
    Checks: [],
  });
  const reply = await http.request({ method: "PUT", path: "/v1/session/create", body, ...request });
  return (JSON.parse(reply.body) as { ID: string }).ID;
}

/** Ends a session; the keys that it holds go with it. Success when it is gone already. */
export async function destroySession(http: ConsulHttp, id: string, request: Request): Promise<void> {
  await http.request({ method: "PUT", path: `/v1/session/destroy/${id}`, accept: [404], ...request });
}

/** Consul's own `session_ttl_min`, in milliseconds. */
const defaultMinimumMs = 10_000;

/**
 * The shortest ttl that the servers take: a session with a shorter one is refused with both bounds in the words. A token
 * that may make no sessions cannot ask.
 */
export async function minimumSessionTtl(http: ConsulHttp, request: Request): Promise<number> {
  try {
    const id = await createSession(http, { name: "kvasir", ttlMs: 1, lockDelayMs: 1 }, request);
    await destroySession(http, id, request);
    return 1;
  } catch (error) {
    const bounds = error instanceof ConsulError ? /between \[([^=\]]+)=/.exec(error.body ?? "") : null;
    if (bounds !== null) return goDurationMs(bounds[1]!);
    if (isStoreError(storeError(error, false), "PERMISSION_DENIED")) return defaultMinimumMs;
    throw error;
  }
}

/** Go's way to write a duration, such as `10s`, `1m30s` or `500ms`, in milliseconds. */
export function goDurationMs(text: string): number {
  const unitMs: Record<string, number> = { ns: 1e-6, us: 1e-3, µs: 1e-3, ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };
  let totalMs = 0;
  for (const [, amount, unit] of text.matchAll(/([0-9.]+)(ns|us|µs|ms|s|m|h)/g))
    totalMs += Number(amount) * unitMs[unit!]!;
  return Math.ceil(totalMs);
}

/** A session that holds one key. */
export class SessionLease implements Lease {
  readonly ttlMs: number;
  readonly session: string;
  readonly #http: ConsulHttp;
  readonly #key: string;
  readonly #onOver: () => void;

  /** `onOver` hears when the key is the session's no more. */
  constructor(http: ConsulHttp, session: string, key: string, ttlMs: number, onOver: () => void = () => {}) {
    this.#http = http;
    this.session = session;
    this.#key = key;
    this.ttlMs = ttlMs;
    this.#onOver = onOver;
  }

  /** Of a contender that does not hold the key yet: its session alone. */
  async renewSession(request: Request): Promise<"renewed" | "lost"> {
    const path = `/v1/session/renew/${this.session}`;
    try {
      const { status } = await this.#http.request({ method: "PUT", path, accept: [404], ...request });
      if (status !== 404) return "renewed";
      this.#onOver();
      return "lost";
    } catch (error) {
      throw storeError(error, false);
    }
  }

  /** The session lives on when its key is deleted or overwritten, so the key is asked for too. */
  async renew(request: Request): Promise<"renewed" | "lost" | "ended"> {
    if ((await this.renewSession(request)) === "lost") return "lost";
    try {
      const check: KvOperation = { verb: "check-session", key: this.#key, session: this.session };
      const outcome = await transact(this.#http, [check], { ...request, consistency: "consistent" });
      if ("results" in outcome || refusal(outcome.failures[0]!.what, this.#key) !== undefined) return "renewed";
      this.#onOver();
      await destroySession(this.#http, this.session, request);
      return "ended";
    } catch (error) {
      throw storeError(error, false);
    }
  }

  /** Gives the key back in one transaction, if this session still holds it, and then the session itself. */
  async end(request: Request): Promise<void> {
    const held: KvOperation[] = [
      { verb: "unlock", key: this.#key, session: this.session },
      { verb: "delete", key: this.#key },
    ];
    try {
      // Refused when the key is another's by now: there is nothing to give back then.
      await transact(this.#http, held, request);
      await destroySession(this.#http, this.session, request);
    } catch (error) {
      throw storeError(error, true);
    } finally {
      this.#onOver();
    }
  }
}

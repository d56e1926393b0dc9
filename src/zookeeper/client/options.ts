import type { ConnectionOptions as TlsOptions } from "node:tls";
import { type Clock, systemClock } from "../../util/clock.js";
import type { Auth } from "./auth.js";
import { BadArgumentsError } from "./error-codes.js";
import { parseServers } from "./hosts.js";
import { Chroot } from "./paths.js";
import type { SessionOptions } from "./session.js";
import type { SessionCredentials } from "./session-state.js";

/** How to connect. All times are milliseconds. */
export interface ClientOptions {
  /** `host:port,host:port/chroot`, or a list of `host:port`. The port is 2181 when left out. */
  readonly servers: string | readonly string[];
  /** The node under which this client sees everything; instead of one in `servers`. It must exist. */
  readonly chroot?: string | undefined;
  /** How long servers keep the session without a sign of life; they may grant another. Default 10,000. */
  readonly sessionTimeoutMs?: number | undefined;
  /** How long a request waits for its answer unless it says otherwise, and `connect` for a session. Default 5,000. */
  readonly timeoutMs?: number | undefined;
  /**
   * How long one attempt to connect may take. Default: 2,000, or a third of the session's timeout where that is less, and twice
   * as long after each attempt without an answer, up to the session's timeout by the number of servers; at least 1,000.
   */
  readonly connectTimeoutMs?: number | undefined;
  /** How long `close` tries to end the session on a server. Default 2,000. */
  readonly closeTimeoutMs?: number | undefined;
  /** TLS with Node's own options (`ca`, `cert`, `key`, …), or `true` for its defaults. Default: plain TCP. */
  readonly tls?: boolean | TlsOptions | undefined;
  /** Credentials for each connection. */
  readonly auth?: readonly Auth[] | undefined;
  /** A session begun elsewhere (`sessionCredentials`), to be taken over; a new one is begun if it is gone. */
  readonly session?: SessionCredentials | undefined;
  /** Whether a server that is cut off from its ensemble will do until another is found. Default false. */
  readonly readOnly?: boolean | undefined;
  /** How many requests may wait for answers or a connection before more are refused. Default 100,000. */
  readonly maxPending?: number | undefined;
  /** The servers' `jute.maxbuffer`: larger requests are refused here, not sent. In bytes, default 1,048,575. */
  readonly maxRequestBytes?: number | undefined;
  /** Larger answers end the connection. In bytes, default 128 MiB. */
  readonly maxResponseBytes?: number | undefined;
  /** Ends the wait for the first session. */
  readonly signal?: AbortSignal | undefined;
  /** Where time comes from. Default the system. */
  readonly clock?: Clock | undefined;
  /** From 0 up to 1, for the order of servers and the choice among addresses. Default `Math.random`. */
  readonly random?: (() => number) | undefined;
}

/** Options with nothing left open. */
export interface ResolvedOptions {
  readonly chroot: Chroot;
  readonly timeoutMs: number;
  readonly session: SessionOptions;
}

/** Fills in the defaults; throws a `BadArgumentsError` for servers, paths or numbers that make no sense. */
export function resolveOptions(options: ClientOptions): ResolvedOptions {
  const list = options.servers;
  const parsed = parseServers(typeof list === "string" ? list : list.join(","));
  return {
    chroot: new Chroot(options.chroot ?? parsed.chroot),
    timeoutMs: milliseconds("timeoutMs", options.timeoutMs, 5_000),
    session: {
      servers: parsed.servers,
      auth: [...(options.auth ?? [])],
      sessionTimeoutMs: milliseconds("sessionTimeoutMs", options.sessionTimeoutMs, 10_000),
      connectTimeoutMs: options.connectTimeoutMs,
      closeTimeoutMs: milliseconds("closeTimeoutMs", options.closeTimeoutMs, 2_000),
      tls: options.tls,
      resume: options.session,
      readOnly: options.readOnly ?? false,
      maxPending: options.maxPending ?? 100_000,
      maxRequestBytes: options.maxRequestBytes ?? 0xfffff,
      maxResponseBytes: options.maxResponseBytes ?? 128 * 1024 * 1024,
      clock: options.clock ?? systemClock,
      random: options.random ?? Math.random,
    },
  };
}

function milliseconds(name: string, value: number | undefined, byDefault: number): number {
  if (value === undefined) return byDefault;
  if (Number.isFinite(value) && value >= 1 && value <= 0x7fffffff) return Math.round(value);
  throw new BadArgumentsError(`${name} is ${value}, but must be milliseconds from 1 to 2147483647`);
}

import { Backoff } from "../util/backoff.js";
import type { Clock } from "../util/clock.js";
import { sleep } from "../util/sleep.js";
import type { Acquired, Contender, Request } from "../core/driver.js";
import { StoreError } from "../core/errors.js";
import { KeptLease } from "../core/kept-lease.js";
import type { BlockingQueries } from "./client/blocking-queries.js";
import type { ConsulHttp } from "./client/http.js";
import { type KvResult, transact } from "./client/transaction.js";
import { refusal } from "./errors.js";
import { keyPath } from "./pairs.js";
import { createSession, SessionLease } from "./sessions.js";

/** What a lock needs of its store. */
export interface ConsulLockHost {
  readonly http: ConsulHttp;
  readonly queries: BlockingQueries;
  readonly clock: Clock;
  readonly lockDelayMs: number;
}

/** How long one request of a wait may take, in milliseconds. */
const callTimeoutMs = 10_000;
const cleanUpMs = 2_000;

/**
 * Takes a lock as Go's `api.Lock` does, a session that acquires the key, except that the key goes with the session. Waits
 * by blocking queries on the key. The session is renewed meanwhile; when it is lost, the wait fails and is begun anew.
 */
export async function acquireLock(
  host: ConsulLockHost,
  contender: Contender,
  request: Request,
): Promise<Acquired | undefined> {
  const { http, clock, lockDelayMs } = host;
  const { key, ttlMs } = contender;
  request.signal?.throwIfAborted();
  let renewedAt = clock.now();
  // Not cut short by an abort: only who hears of a session can end it.
  const session = await createSession(
    http,
    { name: `kvasir lock ${contender.id}`, ttlMs, lockDelayMs },
    { deadline: renewedAt + callTimeoutMs },
  );
  const lease = new SessionLease(http, session, key, ttlMs);
  const lost = new AbortController();
  const renewing = async (renewal: Request): Promise<"renewed" | "lost"> => {
    const sentAt = clock.now();
    const outcome = await lease.renewSession(renewal);
    if (outcome === "renewed") renewedAt = sentAt;
    return outcome;
  };
  const kept = new KeptLease({ ttlMs, renew: renewing, end: (end) => lease.end(end) }, renewedAt, clock, {
    onLost: (reason) => lost.abort(reason),
  });
  let token: bigint | undefined;
  try {
    request.signal?.throwIfAborted();
    token = await contend(host, contender, session, request, lost.signal);
    kept.stop();
    request.signal?.throwIfAborted();
  } catch (error) {
    kept.stop();
    await lease.end({ deadline: clock.now() + cleanUpMs }).catch(() => {});
    // What waited was cut short for it: to the caller it is an outage, and the wait is begun anew.
    if (lost.signal.aborted && request.signal?.aborted !== true) throw sessionLost(key, error);
    throw error;
  }
  if (token !== undefined) return { token, lease, renewedAt };
  await lease.end({ deadline: clock.now() + cleanUpMs }).catch(() => {});
  return undefined;
}

async function contend(
  host: ConsulLockHost,
  { key, value, wait }: Contender,
  session: string,
  request: Request,
  lost: AbortSignal,
): Promise<bigint | undefined> {
  const backoff = new Backoff({ initialMs: 10, maximumMs: 1_000 });
  const give = AbortSignal.any([lost, ...(request.signal === undefined ? [] : [request.signal])]);
  for (;;) {
    if (lost.aborted) throw sessionLost(key, lost.reason);
    const outcome = await transact(host.http, [{ verb: "lock", key, value, session }], bounded(host, request));
    if ("results" in outcome) return BigInt(outcome.results[0]!.ModifyIndex);
    const { what } = outcome.failures[0]!;
    const reason = refusal(what, key);
    if (reason !== undefined) throw reason;
    if (/invalid session/i.test(what)) throw sessionLost(key, what);
    if (!wait) return undefined;
    await waitUntilFree(host, key, request.deadline, give);
    // Held back by the lock delay of a holder that was lost, or another was faster.
    await sleep(backoff.next(), { clock: host.clock, signal: give });
  }
}

/** Returns when nobody holds the key, by blocking queries that the server answers as soon as it changes. */
async function waitUntilFree(
  { http, queries, clock }: ConsulLockHost,
  key: string,
  deadline: number,
  signal: AbortSignal,
): Promise<void> {
  const path = keyPath(http, key);
  let index = 0;
  for (;;) {
    const now = { method: "GET", path, query: { consistent: "" }, accept: [404] } as const;
    const reply =
      index === 0
        ? await http.request({ ...now, deadline: Math.min(deadline, clock.now() + callTimeoutMs), signal })
        : await queries.ask({ path, index, signal, deadline });
    if (reply === undefined) continue;
    const [pair] = reply.status === 404 ? [] : (JSON.parse(reply.body) as KvResult[]);
    if (!pair?.Session) return;
    index = reply.index < index ? 0 : reply.index;
  }
}

/** One request of a wait that may have no deadline itself. */
function bounded({ clock }: ConsulLockHost, request: Request): Request {
  return { ...request, deadline: Math.min(request.deadline, clock.now() + callTimeoutMs) };
}

function sessionLost(key: string, cause: unknown): StoreError {
  return new StoreError("UNREACHABLE", "the session of the waiting contender was lost", {
    key,
    cause,
    outcome: "not-applied",
  });
}

import { Backoff } from "../util/backoff.js";
import type { Clock } from "../util/clock.js";
import { sleep } from "../util/sleep.js";
import type { Acquired, Contender, Request } from "../core/driver.js";
import { StoreError } from "../core/errors.js";
import { KeptLease } from "../core/kept-lease.js";
import type { ConsulHttp } from "./client/http.js";
import { type KvResult, transact } from "./client/transaction.js";
import { keyPath } from "./pairs.js";
import { createSession, SessionLease } from "./sessions.js";

/** What a lock needs of its store. */
export interface ConsulLockHost {
  readonly http: ConsulHttp;
  readonly clock: Clock;
  readonly lockDelayMs: number;
}

/** How long a blocking query waits on the server, in milliseconds; the agent adds up to a sixteenth. */
const waitMs = 60_000;
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
  const session = await createSession(
    http,
    { name: `kvasir lock ${contender.id}`, ttlMs, lockDelayMs },
    bounded(host, request),
  );
  const lease = new SessionLease(http, session, key, ttlMs);
  const lost = new AbortController();
  const renewing: SessionLease["renew"] = async (renewal) => {
    const sentAt = clock.now();
    const outcome = await lease.renew(renewal);
    if (outcome === "renewed") renewedAt = sentAt;
    return outcome;
  };
  const kept = new KeptLease({ ttlMs, renew: renewing, end: (end) => lease.end(end) }, renewedAt, clock, {
    onLost: (reason) => lost.abort(reason),
  });
  let token: bigint | undefined;
  try {
    token = await contend(host, contender, session, request, lost.signal);
    kept.stop();
    request.signal?.throwIfAborted();
  } catch (error) {
    kept.stop();
    await lease.end({ deadline: clock.now() + cleanUpMs }).catch(() => {});
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
    if (!wait) return undefined;
    await waitUntilFree(host, key, { ...request, signal: give });
    // Held back by the lock delay of a holder that was lost, or another was faster.
    await sleep(backoff.next(), { clock: host.clock, signal: give });
  }
}

/** Returns when nobody holds the key, by blocking queries that the server answers as soon as it changes. */
async function waitUntilFree({ http, clock }: ConsulLockHost, key: string, request: Request): Promise<void> {
  let index = 0;
  for (;;) {
    const reply = await http.request({
      method: "GET",
      path: keyPath(http, key),
      query: index === 0 ? { consistent: "" } : { index: String(index), wait: `${waitMs}ms` },
      deadline: Math.min(request.deadline, clock.now() + waitMs + waitMs / 16 + 10_000),
      signal: request.signal,
      blocking: index !== 0,
      accept: [404],
    });
    const [pair] = reply.status === 404 ? [] : (JSON.parse(reply.body) as KvResult[]);
    if (!pair?.Session) return;
    index = reply.index < index ? 0 : reply.index;
  }
}

/** One request of a wait that may have no deadline itself. */
function bounded({ clock }: ConsulLockHost, request: Request): Request {
  return { ...request, deadline: Math.min(request.deadline, clock.now() + 10_000) };
}

function sessionLost(key: string, cause: unknown): StoreError {
  return new StoreError("UNREACHABLE", "the session of the waiting contender was lost", {
    key,
    cause,
    outcome: "not-applied",
  });
}

import type { Acquired, Contender, Request } from "../core/driver.js";
import { isStoreError, StoreError } from "../core/errors.js";
import { Backoff } from "../util/backoff.js";
import { sleep } from "../util/sleep.js";
import { MultiError } from "./client/index.js";
import { applyTransaction, type Applied } from "./commit.js";
import type { Ensemble } from "./ensemble.js";
import { storeError } from "./errors.js";
import { HeldLock } from "./held-lock.js";
import { type LockLayout, lockQueue } from "./lock-layout.js";
import { PlaceLost, QueuePlace } from "./queue-place.js";

/** How long one request of a contender may take, in milliseconds, before it is asked again. */
const questionMs = 5_000;

/**
 * Takes a lock as go-zookeeper, curator and kazoo do: each contender has an ephemeral node with a number, the lowest
 * holds, and each of the others watches the one before it. The holder also writes the lock's value at the lock's key, as
 * an ephemeral node of the same session, so that both go together.
 */
export async function acquireLock(
  ensemble: Ensemble,
  layout: LockLayout,
  contender: Contender,
  request: Request,
): Promise<Acquired | undefined> {
  const { signal } = request;
  for (;;) {
    signal?.throwIfAborted();
    const place = new QueuePlace(ensemble, lockQueue(ensemble.paths, layout, contender.key), contender.id, signal);
    try {
      await place.enter();
      if (contender.wait) {
        await place.waitForTurn();
      } else if (!(await place.isFirst())) {
        await place.leave();
        return undefined;
      }
      signal?.throwIfAborted();
      return await hold(ensemble, layout, contender, place, signal);
    } catch (error) {
      await place.leave();
      // A session that was lost has taken the place along: to the end of the queue, in the next one.
      if (error instanceof PlaceLost) continue;
      if (signal?.aborted === true) throw signal.reason;
      throw storeError(error, ensemble.endpoint, true);
    }
  }
}

/** Writes the lock's value, provided that the contender's node is still there. */
async function hold(
  ensemble: Ensemble,
  layout: LockLayout,
  contender: Contender,
  place: QueuePlace,
  signal: AbortSignal | undefined,
): Promise<Acquired> {
  const { clock, client } = ensemble;
  const backoff = new Backoff({ initialMs: 20, maximumMs: 1_000 });
  for (;;) {
    signal?.throwIfAborted();
    try {
      const { puts } = await writeValue(ensemble, layout, contender, place, { deadline: clock.now() + questionMs });
      const { session } = ensemble;
      if (session === undefined || session.id !== place.session) throw new PlaceLost();
      const lease = new HeldLock(ensemble, layout, contender.key, place, puts[0]!.pair.revision, session.timeoutMs);
      return { token: place.token, lease, renewedAt: client.sessionDeadline - session.timeoutMs };
    } catch (error) {
      // Done twice it is the same: nobody else writes there.
      if (!isStoreError(error, "UNREACHABLE") && !isStoreError(error, "TIMEOUT")) throw error;
      if (place.isLost) throw new PlaceLost();
      await sleep(backoff.next(), { clock, signal });
    }
  }
}

async function writeValue(
  ensemble: Ensemble,
  layout: LockLayout,
  { key, value, ttlMs }: Contender,
  place: QueuePlace,
  request: Request,
): Promise<Applied> {
  const put = { type: "put", key, value, ttlMs: layout === "libkv" ? undefined : ttlMs } as const;
  try {
    return await applyTransaction(ensemble, { checks: [], writes: [put] }, request, [
      { type: "check", path: place.path, version: -1 },
    ]);
  } catch (error) {
    const cause = error instanceof StoreError ? error.cause : error;
    if (cause instanceof MultiError && cause.index === 0) throw new PlaceLost();
    throw error;
  }
}

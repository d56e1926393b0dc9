import type { Acquired, Contender, Request } from "../core/driver.js";
import { isStoreError, StoreError } from "../core/errors.js";
import { Backoff } from "../util/backoff.js";
import { sleep } from "../util/sleep.js";
import { MultiError, type MultiOperation, type Stat } from "./client/index.js";
import { applyTransaction, noteWritten } from "./commit.js";
import { createKey } from "./create-key.js";
import type { Ensemble } from "./ensemble.js";
import { storeError } from "./errors.js";
import { HeldLock } from "./held-lock.js";
import { type LockLayout, lockQueue } from "./lock-layout.js";
import { revisionOf } from "./nodes.js";
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

/**
 * Writes the lock's value, provided that the contender's node is still there. A value that may have been written is written
 * for sure, though nobody waits for it any more: with the lock it is given back, and would else stay with the session.
 */
async function hold(
  ensemble: Ensemble,
  layout: LockLayout,
  contender: Contender,
  place: QueuePlace,
  signal: AbortSignal | undefined,
): Promise<Acquired> {
  const { clock, client } = ensemble;
  const backoff = new Backoff({ initialMs: 20, maximumMs: 1_000 });
  let giveUp = signal;
  for (;;) {
    giveUp?.throwIfAborted();
    try {
      const revision = await writeValue(ensemble, layout, contender, place, { deadline: clock.now() + questionMs });
      const { session } = ensemble;
      if (session === undefined || session.id !== place.session) throw new PlaceLost();
      const lease = new HeldLock(ensemble, layout, contender.key, place, revision, session.timeoutMs);
      return { token: place.token, lease, renewedAt: client.sessionDeadline - session.timeoutMs };
    } catch (error) {
      // Done twice it is the same: nobody else writes there.
      if (!isStoreError(error, "UNREACHABLE") && !isStoreError(error, "TIMEOUT")) throw error;
      if (place.isLost) throw new PlaceLost();
      if (error.outcome === "unknown") giveUp = undefined;
      await sleep(backoff.next(), { clock, signal: giveUp });
    }
  }
}

/** The revision of the value that was written. Throws `PlaceLost` when the contender's node is gone. */
async function writeValue(
  ensemble: Ensemble,
  layout: LockLayout,
  { key, value, ttlMs }: Contender,
  place: QueuePlace,
  request: Request,
): Promise<bigint> {
  const first: MultiOperation[] = [{ type: "check", path: place.path, version: -1 }];
  try {
    if (layout === "kvasir") {
      // Nearly always there is nothing at the key, and its directory is there: that takes one request.
      const stat = await createValue(ensemble, key, value, request, first);
      if (stat !== undefined) return revisionOf(stat);
    }
    const put = { type: "put", key, value, ttlMs: layout === "libkv" ? undefined : ttlMs } as const;
    const { puts } = await applyTransaction(ensemble, { checks: [], writes: [put] }, request, first);
    return puts[0]!.pair.revision;
  } catch (error) {
    const cause = error instanceof StoreError ? error.cause : error;
    if (cause instanceof MultiError && cause.index === 0) throw new PlaceLost();
    throw error;
  }
}

/** The node of a value where there was none; `undefined` when the server refused that. */
async function createValue(
  ensemble: Ensemble,
  key: string,
  value: Uint8Array,
  request: Request,
  first: readonly MultiOperation[],
): Promise<Stat | undefined> {
  return ensemble.writing(request, async (bounds) => {
    try {
      const options = { mode: "ephemeral", first } as const;
      const stat = await createKey(ensemble, ensemble.paths.of(key), value, bounds, options);
      if (stat !== undefined) noteWritten(ensemble, key, stat);
      return stat;
    } catch (error) {
      if (error instanceof MultiError && error.index >= first.length) return undefined;
      throw error;
    }
  });
}

import type { Acquired, Contender, Request } from "../core/driver.js";
import { encodeUtf8 } from "../util/bytes.js";
import type { Timer } from "../util/clock.js";
import { BoltLease } from "./bolt-lease.js";
import type { BucketSession } from "./bucket-session.js";
import { BucketWriter } from "./bucket-writer.js";
import { type LeaseRecord, storedIndex } from "./layout.js";
import type { QueuePlace } from "./lock-queues.js";

/** What a try gave: the lock, or how long its holder may still keep it, in milliseconds. */
type Try = { readonly acquired: Acquired } | { readonly heldForMs: number };

/**
 * Takes a lock: its value stands at the key, its deadline in the lease bucket. Those of one process queue up; the
 * first in the queue tries whenever the key changes and when the holder's deadline has passed.
 */
export async function acquireLock(
  session: BucketSession,
  contender: Contender,
  request: Request,
): Promise<Acquired | undefined> {
  request.signal?.throwIfAborted();
  if (!contender.wait) {
    if (session.locks.hasWaiters(contender.key)) return undefined;
    const outcome = await tryLock(session, contender, request);
    return "acquired" in outcome ? outcome.acquired : undefined;
  }
  session.file.followOthers();
  const place = session.locks.join(contender.key);
  try {
    return await waitForLock(session, contender, place, request);
  } finally {
    place.leave();
  }
}

async function waitForLock(
  session: BucketSession,
  contender: Contender,
  place: QueuePlace,
  request: Request,
): Promise<Acquired> {
  for (;;) {
    // Asked for before the try, so that a change during it is not missed.
    const changed = place.wait();
    let heldForMs: number | undefined;
    if (place.isFirst) {
      const outcome = await tryLock(session, contender, request);
      if ("acquired" in outcome) return keepUnlessAborted(outcome.acquired, session, request);
      heldForMs = outcome.heldForMs;
    }
    await firstOf(changed, heldForMs, session, request);
  }
}

/** A lock that came when nobody waited any more is given back. */
async function keepUnlessAborted(acquired: Acquired, session: BucketSession, { signal }: Request): Promise<Acquired> {
  if (signal?.aborted !== true) return acquired;
  await acquired.lease.end({ deadline: session.file.clocks.clock.now() + 2_000 });
  throw signal.reason;
}

async function tryLock(session: BucketSession, contender: Contender, request: Request): Promise<Try> {
  const { file, bucket, leases, reader } = session;
  const { key, value, ttlMs } = contender;
  const { clock, bootClock } = file.clocks;
  const renewedAt = clock.now();
  const deadline = Math.min(request.deadline, renewedAt + 30_000);
  const { outcome, changes } = await file.write(
    (tx): { outcome: Try; changes: BucketWriter["changes"] } => {
      const stored = tx.bucket(bucket)?.get(encodeUtf8(key));
      const heldForMs = stored === undefined ? undefined : leases.lockedForMs(key, storedIndex(key, stored));
      if (heldForMs !== undefined) return { outcome: { heldForMs }, changes: [] };
      const writer = new BucketWriter(tx, bucket, reader, leases);
      const lock = { owner: file.owner, exclusive: !file.shared, boot: bootClock.boot, until: bootClock.now() + ttlMs };
      const pair = writer.put(key, value, (index): LeaseRecord => ({ index, ttlMs, lock }));
      const lease = new BoltLease(session, key, pair.revision, ttlMs);
      return { outcome: { acquired: { token: pair.revision, lease, renewedAt } }, changes: writer.changes };
    },
    { deadline, signal: request.signal },
  );
  session.committed(changes);
  return outcome;
}

/** Waits for a change of the key, the holder's deadline, or the abort, which rejects. */
function firstOf(
  changed: Promise<void>,
  heldForMs: number | undefined,
  session: BucketSession,
  { signal }: Request,
): Promise<void> {
  return new Promise((resolve, reject) => {
    let timer: Timer | undefined;
    const onAbort = (): void => {
      timer?.cancel();
      reject(signal!.reason);
    };
    const go = (): void => {
      timer?.cancel();
      signal?.removeEventListener("abort", onAbort);
      resolve();
    };
    if (signal?.aborted === true) return onAbort();
    signal?.addEventListener("abort", onAbort, { once: true });
    if (heldForMs !== undefined) timer = session.file.clocks.clock.after(heldForMs + 1, go);
    void changed.then(go);
  });
}

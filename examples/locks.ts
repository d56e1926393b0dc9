// Locks of every kind: one at a time, readers and writers, and at most so many. Runs on a file of its own, or on the store
// that KVASIR_URL names: npx tsx examples/locks.ts
import { connect } from "kvasir";
import { createRWLock, createSemaphore, withHold, withLock } from "kvasir/recipes";

const store = await connect(process.env["KVASIR_URL"] ?? "bolt:./locks.db");
try {
  // One at a time; the wait has a limit, the work is told when the lock is lost.
  const result = await withLock(
    store,
    "jobs/nightly",
    async (hold) => {
      hold.signal.throwIfAborted();
      return `worked alone: ${hold.held}`;
    },
    { value: "host-1", ttlMs: 10_000, timeoutMs: 30_000 },
  );
  console.log(result);
  // prints worked alone: true

  // Many readers, or one writer.
  const document = createRWLock(store, "documents/7", { ttlMs: 10_000 });
  const readers = await Promise.all([document.read.lock(), document.read.lock()]);
  console.log(`readers: ${readers.length}, a writer gets in: ${(await document.write.tryLock()) !== undefined}`);
  // prints readers: 2, a writer gets in: false
  const writing = withHold(
    () => document.write.lock(),
    (hold) => console.log(`the writer is alone: ${hold.held}`),
  );
  for (const reader of readers) await reader.unlock();
  await writing;
  // prints the writer is alone: true

  // At most two at a time.
  const pool = createSemaphore(store, "gpus", 2, { ttlMs: 10_000 });
  let inside = 0;
  let most = 0;
  await Promise.all(
    Array.from({ length: 6 }, () =>
      withHold(
        () => pool.acquire(),
        async ({ slot }) => {
          most = Math.max(most, ++inside);
          await store.put(`jobs/done/${slot}`, "1");
          inside--;
        },
      ),
    ),
  );
  console.log(`at most ${most} at a time, on ${(await store.keys("jobs/done")).length} slots`);
  // prints at most 2 at a time, on 2 slots
} finally {
  await store.close();
}

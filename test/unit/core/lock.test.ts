import { describe, expect, it } from "vitest";
import type { Acquired } from "../../../src/core/driver.js";
import { StoreError } from "../../../src/core/errors.js";
import { ManagedStore } from "../../../src/core/managed-store.js";
import { createDeferred, type Deferred } from "../../../src/util/deferred.js";
import { ManualClock, settle } from "./support/manual-clock.js";
import { TestDriver, type TestLease, unreachable } from "./support/test-driver.js";

const ttlMs = 9_000;

/** A store whose driver gives locks when the test says so. */
function create() {
  const clock = new ManualClock();
  const driver = new TestDriver();
  const store = new ManagedStore(driver, { clock });
  const asked: { signal: AbortSignal | undefined; answer: Deferred<Acquired | undefined> }[] = [];
  driver.acquired = (_, { signal }) => {
    const answer = createDeferred<Acquired | undefined>();
    signal?.addEventListener("abort", () => answer.reject(signal.reason), { once: true });
    asked.push({ signal, answer });
    return answer.promise;
  };
  let token = 0n;
  const grant = async (): Promise<TestLease> => {
    await settle();
    const lease = driver.lease(ttlMs);
    asked.at(-1)!.answer.resolve({ token: ++token, lease, renewedAt: clock.now() });
    await settle();
    return lease;
  };
  const lock = store.newLock("a", { ttlMs });
  return { clock, driver, store, lock, asked, grant };
}

describe("one lock object", () => {
  it("is LOCK_HELD while it waits, and while it holds", async () => {
    const { lock, grant } = create();
    const waiting = lock.lock();
    await expect(lock.lock()).rejects.toMatchObject({ code: "LOCK_HELD", key: "a", outcome: "not-applied" });
    await expect(lock.tryLock()).rejects.toMatchObject({ code: "LOCK_HELD" });
    await grant();
    const hold = await waiting;
    expect(hold).toMatchObject({ held: true, token: 1n, ttlMs, key: "a" });
    await expect(lock.lock()).rejects.toMatchObject({ code: "LOCK_HELD" });
    await lock.unlock();
    await expect(lock.unlock()).rejects.toMatchObject({ code: "NOT_LOCKED" });
    await expect(hold.unlock()).rejects.toMatchObject({ code: "NOT_LOCKED" });
  });

  it("can lock again after a loss, without being asked to give the lost one back", async () => {
    const { lock, grant } = create();
    const first = lock.lock();
    const lease = await grant();
    const lost = await first;
    lease.lose();
    expect(lost.held).toBe(false);
    const again = lock.lock();
    await grant();
    expect((await again).token).toBe(2n);
    await expect(lost.unlock()).rejects.toMatchObject({ code: "LOCK_LOST" });
    expect((await again).held).toBe(true);
  });
});

describe("waiting", () => {
  it("goes on through outages, with pauses", async () => {
    const { clock, driver, lock, asked, grant } = create();
    let down = true;
    driver.before = () => {
      if (down) throw unreachable("not-applied");
    };
    const waiting = lock.lock();
    await clock.advance(60_000);
    expect(asked).toHaveLength(0);
    expect(driver.sent.length).toBeLessThan(80);
    down = false;
    await clock.advance(5_000);
    await grant();
    expect((await waiting).held).toBe(true);
  });

  it("that is aborted ends the contender and leaves no listener", async () => {
    const { lock, asked } = create();
    const abort = new AbortController();
    const waiting = lock.lock({ signal: abort.signal });
    await settle();
    const reason = new Error("enough");
    abort.abort(reason);
    await expect(waiting).rejects.toBe(reason);
    expect(asked[0]!.signal?.aborted).toBe(true);
  });

  it("that is aborted rejects when nothing of the contender is left, but not much later than a second", async () => {
    const { clock, driver, lock } = create();
    for (const leaves of [true, false]) {
      const left = createDeferred<void>();
      driver.acquired = (_, { signal }) =>
        new Promise((_resolve, reject) => {
          signal!.addEventListener("abort", () => void left.promise.then(() => reject(signal!.reason)));
        });
      const abort = new AbortController();
      let rejected = false;
      const waiting = lock.lock({ signal: abort.signal }).catch(() => (rejected = true));
      await settle();
      abort.abort();
      await settle();
      expect(rejected, "it is still there").toBe(false);
      if (leaves) left.resolve();
      else await clock.advance(1_000);
      await waiting;
    }
  });

  it("a lock that was given when nobody wanted it any more is given back before the caller hears", async () => {
    const { clock, driver, lock, asked } = create();
    driver.acquired = (_, { signal }) => {
      const answer = createDeferred<Acquired | undefined>();
      asked.push({ signal, answer });
      return answer.promise;
    };
    const waiting = lock.lock({ timeoutMs: 100 });
    const rejected = expect(waiting).rejects.toMatchObject({ code: "TIMEOUT" });
    await clock.advance(100);
    const lease = driver.lease(ttlMs);
    asked[0]!.answer.resolve({ token: 1n, lease, renewedAt: clock.now() });
    await rejected;
    expect(lease.ended).toBe(1);
  });

  it("fails at once, and for good, on a permanent error", async () => {
    const { driver, lock } = create();
    driver.acquired = () => Promise.reject(new StoreError("PERMISSION_DENIED", "no"));
    await expect(lock.lock()).rejects.toMatchObject({ code: "PERMISSION_DENIED", key: "a", outcome: "not-applied" });
    expect(driver.sentAs("acquire")).toHaveLength(1);
  });

  it("a lock whose time was over when its answer came is no lock: a wait goes on, a try says so", async () => {
    const { clock, driver, lock, asked, grant } = create();
    const late = async (): Promise<TestLease> => {
      await settle();
      const sentAt = clock.now();
      clock.jump(ttlMs);
      const lease = driver.lease(ttlMs);
      asked.at(-1)!.answer.resolve({ token: 1n, lease, renewedAt: sentAt });
      await settle();
      return lease;
    };
    const trying = expect(lock.tryLock()).rejects.toMatchObject({ code: "LOCK_LOST" });
    expect((await late()).ended).toBe(1);
    await trying;
    const waiting = lock.lock();
    expect((await late()).ended).toBe(1);
    await clock.advance(1_000);
    await grant();
    expect(await waiting).toMatchObject({ held: true });
    expect(asked).toHaveLength(3);
  });
});

describe("a hold", () => {
  it("fires its signal once when it is lost, with LOCK_LOST, the key and the cause, and gives the lease back", async () => {
    const { lock, grant } = create();
    const waiting = lock.lock();
    const lease = await grant();
    const hold = await waiting;
    const cause = unreachable();
    let fired = 0;
    hold.signal.addEventListener("abort", () => fired++);
    lease.lose(cause);
    lease.lose();
    expect(fired).toBe(1);
    expect(hold.signal.reason).toMatchObject({ code: "LOCK_LOST", key: "a", backend: "test", cause });
    await settle();
    expect(lease.ended).toBe(1);
  });

  it("that is given back never fires", async () => {
    const { clock, lock, grant } = create();
    const waiting = lock.lock();
    const lease = await grant();
    const hold = await waiting;
    await hold.unlock();
    lease.lose();
    await clock.advance(ttlMs * 2);
    expect(hold.signal.aborted).toBe(false);
    expect(hold.held).toBe(false);
    expect(clock.timers).toBe(0);
  });

  it("with the network cut is lost before the server could give it to another", async () => {
    const { clock, lock, grant } = create();
    const waiting = lock.lock();
    const lease = await grant();
    const hold = await waiting;
    lease.answer = () => Promise.reject(unreachable());
    lease.whenEnded = () => Promise.reject(unreachable());
    await clock.advance(ttlMs - 1);
    expect(hold.signal.aborted).toBe(true);
    expect(hold.held).toBe(false);
  });

  it("of a process that was stopped is not held at the first reading", async () => {
    const { clock, lock, grant } = create();
    const waiting = lock.lock();
    await grant();
    const hold = await waiting;
    expect(hold.held).toBe(true);
    clock.jump(ttlMs);
    expect(hold.held).toBe(false);
    expect(hold.signal.aborted, "no timer has run yet").toBe(false);
  });

  it.each(["lost", "unreachable", "given back", "store closed"])("disposal never throws: %s", async (how) => {
    const { lock, grant, store } = create();
    const waiting = lock.lock();
    const lease = await grant();
    const hold = await waiting;
    if (how === "lost") lease.lose();
    if (how === "unreachable") lease.whenEnded = () => Promise.reject(unreachable());
    if (how === "given back") await hold.unlock();
    if (how === "store closed") await store.close();
    await hold[Symbol.asyncDispose]();
    expect(hold.held).toBe(false);
    expect(lease.ended).toBe(1);
  });

  it("an unlock that is not answered rejects in time, and the lock is not held any more", async () => {
    const { clock, lock, grant } = create();
    const waiting = lock.lock();
    const lease = await grant();
    const hold = await waiting;
    lease.whenEnded = () => new Promise(() => {});
    const unlocking = expect(hold.unlock({ timeoutMs: 100 })).rejects.toMatchObject({
      code: "TIMEOUT",
      outcome: "unknown",
    });
    expect(hold.held).toBe(false);
    await clock.advance(100);
    await unlocking;
  });
});

describe("close of the store", () => {
  it("tells holders before it gives their locks back", async () => {
    const { lock, grant, store } = create();
    const waiting = lock.lock();
    const lease = await grant();
    const hold = await waiting;
    const order: string[] = [];
    hold.signal.addEventListener("abort", () => order.push("told"));
    lease.whenEnded = async () => void order.push("given back");
    await store.close();
    expect(order).toEqual(["told", "given back"]);
    expect(hold.signal.reason).toMatchObject({ code: "LOCK_LOST" });
  });

  it("ends those who wait with CLOSED, and waits until nothing of them is left", async () => {
    const { driver, lock, asked, store } = create();
    let left = false;
    driver.acquired = (_, { signal }) =>
      new Promise((_resolve, reject) => {
        asked.push({ signal, answer: createDeferred() });
        signal!.addEventListener("abort", () =>
          setTimeout(() => {
            left = true;
            reject(signal!.reason);
          }, 20),
        );
      });
    const waiting = expect(lock.lock()).rejects.toMatchObject({ code: "CLOSED", key: "a" });
    await settle();
    await store.close();
    expect(left).toBe(true);
    expect(driver.closed).toBe(true);
    await waiting;
  });

  it("does not hang when a lock cannot be given back", async () => {
    const { clock, driver, lock, grant, store } = create();
    const waiting = lock.lock();
    const lease = await grant();
    await waiting;
    lease.whenEnded = () => new Promise(() => {});
    const closing = store.close();
    await clock.advance(5_000);
    await closing;
    expect(driver.closed).toBe(true);
  });
});

import { describe, expect, it, vi } from "vitest";
import { createMemoryStore } from "../../../src/bolt/memory.js";
import { Connectivity } from "../../../src/core/connectivity.js";
import type { PutOperation } from "../../../src/core/driver.js";
import { StoreError } from "../../../src/core/errors.js";
import { LeasedKeys } from "../../../src/core/leased-keys.js";
import { ManagedStore } from "../../../src/core/managed-store.js";
import type { StateChange } from "../../../src/core/store.js";
import { encodeUtf8 } from "../../../src/util/bytes.js";
import { createDeferred } from "../../../src/util/deferred.js";
import { ManualClock, settle } from "./support/manual-clock.js";
import { TestDriver, unreachable } from "./support/test-driver.js";

const ttlMs = 9_000;

function create(options: { onTime?: boolean } = {}) {
  const clock = new ManualClock();
  const driver = new TestDriver();
  const connectivity = new Connectivity(clock, driver, () => Promise.resolve());
  const changes: StateChange[] = [];
  connectivity.onChange((change) => changes.push(change));
  const leased = new LeasedKeys({
    clock,
    connectivity,
    onTime: options.onTime ?? true,
    putLeased: async (operation, ttl) => {
      const sentAt = clock.now();
      return { ...(await driver.putLeased(operation, ttl, { deadline: Number.POSITIVE_INFINITY })), sentAt };
    },
  });
  /** Puts a key with a ttl, as the store does. */
  const put = async (key: string, keepAlive: boolean): Promise<void> => {
    const operation: PutOperation = { type: "put", key, value: encodeUtf8("mine") };
    const sentAt = clock.now();
    leased.add(operation, await driver.putLeased(operation, ttlMs, { deadline: 0 }), { keepAlive, sentAt });
  };
  /** The server drops a key, and tells who kept it. */
  const drop = async (key: string, lease = driver.leases.at(-1)!): Promise<void> => {
    driver.data.delete(key);
    lease.lose();
    await settle();
  };
  return { clock, driver, leased, changes, put, drop };
}

describe("keepAlive", () => {
  it("renews for as long as the store is open", async () => {
    const { clock, driver, put, changes } = create();
    await put("a", true);
    await clock.advance(ttlMs * 10);
    expect(driver.leases[0]!.renewals.length).toBeGreaterThanOrEqual(29);
    expect(changes).toEqual([]);
  });

  it("puts a key that was lost again, if it is absent, and tells both", async () => {
    const { clock, driver, put, drop, changes } = create();
    await put("a", true);
    await drop("a");
    expect(driver.data.get("a")?.text()).toBe("mine");
    expect(driver.sentAs("putLeased")).toHaveLength(2);
    expect(changes).toEqual([
      expect.objectContaining({ lostKeys: ["a"], restoredKeys: [], reason: expect.any(StoreError) }),
      expect.objectContaining({ lostKeys: [], restoredKeys: ["a"] }),
    ]);
    await clock.advance(ttlMs * 2);
    expect(driver.leases[1]!.renewals.length).toBeGreaterThanOrEqual(5);
    expect(driver.leases[0]!.ended, "the lost lease is given back").toBe(1);
  });

  it("lets go when another has put the key meanwhile", async () => {
    const { clock, driver, put, changes } = create();
    await put("a", true);
    driver.put("a", encodeUtf8("another's"));
    driver.leases[0]!.lose();
    await clock.advance(ttlMs * 2);
    expect(driver.data.get("a")?.text()).toBe("another's");
    expect(driver.leases).toHaveLength(1);
    expect(changes.map(({ lostKeys, restoredKeys }) => [lostKeys, restoredKeys])).toEqual([[["a"], []]]);
  });

  it("does not take its own put, whose answer was lost, for another's", async () => {
    const { clock, driver, put, drop } = create();
    await put("a", true);
    driver.after = () => {
      driver.after = () => {};
      throw unreachable("unknown");
    };
    await drop("a");
    await clock.advance(ttlMs);
    const attempts = driver.sentAs("putLeased").length;
    expect(driver.data.get("a")?.text()).toBe("mine");
    expect(attempts, "the key is there, and nobody renews it").toBeGreaterThan(2);
    // What the server does at the end of the ttl.
    driver.data.delete("a");
    await clock.advance(5_000);
    expect(driver.data.get("a")?.text()).toBe("mine");
    const { length } = driver.sentAs("putLeased");
    await clock.advance(ttlMs * 3);
    expect(driver.sentAs("putLeased"), "now it is kept alive").toHaveLength(length);
  });

  it("gives up on a key that stays another's after such a put", async () => {
    const { clock, driver, put, drop } = create();
    await put("a", true);
    driver.before = (call) => {
      if (call === "putLeased") throw unreachable("unknown");
    };
    await drop("a");
    driver.before = () => {};
    driver.put("a", encodeUtf8("another's"));
    await clock.advance(ttlMs * 3);
    const { length } = driver.sentAs("putLeased");
    await clock.advance(ttlMs * 3);
    expect(driver.sentAs("putLeased")).toHaveLength(length);
    expect(driver.data.get("a")?.text()).toBe("another's");
  });

  it("of a key whose put came through too late starts anew, behind it", async () => {
    const clock = new ManualClock();
    const driver = new TestDriver();
    const store = new ManagedStore(driver, { clock });
    await store.put("a", "mine", { ttlMs, keepAlive: true });
    const late = createDeferred<void>();
    driver.after = () => {
      driver.after = () => {};
      return late.promise;
    };
    driver.data.delete("a");
    driver.leases[0]!.lose();
    await clock.advance(6_000);
    expect(driver.sentAs("putLeased"), "the next waits for the one under way").toHaveLength(2);
    driver.leases[1]!.whenEnded = async () => void driver.data.delete("a");
    late.resolve();
    await clock.advance(1_000);
    expect(driver.leases[1]!.ended).toBe(1);
    expect(driver.data.get("a")?.text()).toBe("mine");
    expect(driver.leases[2]!.ended).toBe(0);
    await store.close();
  });

  it("tries until the server answers, with pauses", async () => {
    const { clock, driver, put, drop, changes } = create();
    await put("a", true);
    let down = true;
    driver.before = () => {
      if (down) throw unreachable("not-applied");
    };
    await drop("a");
    await clock.advance(60_000);
    const tries = driver.sentAs("putLeased").length;
    expect(tries).toBeGreaterThan(10);
    expect(tries).toBeLessThan(40);
    down = false;
    await clock.advance(5_000);
    expect(driver.data.get("a")?.text()).toBe("mine");
    expect(changes.at(-1)).toMatchObject({ restoredKeys: ["a"] });
  });

  it("of a key that waited long to be put again begins when that was sent", async () => {
    const store = await createMemoryStore({ timeoutMs: 1_000_000 });
    const changes: string[] = [];
    store.onStateChange(({ lostKeys, restoredKeys }) => changes.push(`-${lostKeys.join()} +${restoredKeys.join()}`));
    await store.put("a", "mine", { ttlMs, keepAlive: true });
    store.suspend();
    await store.advance(ttlMs * 5);
    await store.resume();
    await vi.waitFor(() => expect(changes).toContain("- +a"));
    // A lease that counted from before the outage would be lost at once.
    await store.advance(ttlMs / 2);
    expect(changes).toEqual(["- +", "-a +", "- +", "- +a"]);
    await store.close();
  });

  it("stops trying when the key was put anew or the store closed", async () => {
    const { clock, driver, leased, put, drop } = create();
    await put("a", true);
    let down = true;
    driver.before = () => {
      if (down) throw unreachable("not-applied");
    };
    await drop("a");
    await leased.close();
    down = false;
    const tries = driver.sentAs("putLeased").length;
    await clock.advance(60_000);
    expect(driver.sentAs("putLeased")).toHaveLength(tries);
    expect(driver.data.has("a")).toBe(false);
  });

  it.each([
    ["the key was deleted", (leased: LeasedKeys) => leased.forget("dir/a")],
    ["its tree was deleted", (leased: LeasedKeys) => leased.forgetTree("dir")],
    ["its namespace was closed", (leased: LeasedKeys) => void leased.endKeepAlive(["dir/a"])],
  ])("stops trying when %s meanwhile", async (_, end) => {
    const { clock, driver, leased, put, drop } = create();
    await put("dir/a", true);
    let down = true;
    driver.before = () => {
      if (down) throw unreachable("not-applied");
    };
    await drop("dir/a");
    end(leased);
    down = false;
    await clock.advance(60_000);
    expect(driver.data.has("dir/a")).toBe(false);
  });

  it("ends without a word when the key is another's now", async () => {
    const { clock, driver, put, changes } = create();
    await put("a", true);
    driver.leases[0]!.answer = () => Promise.resolve("ended");
    await clock.advance(ttlMs * 3);
    expect(driver.leases[0]!.renewals).toHaveLength(1);
    expect(driver.sentAs("putLeased")).toHaveLength(1);
    expect(changes).toEqual([]);
  });

  it("of one key ends when it is put again, deleted, or its tree is", async () => {
    const { clock, driver, leased, put } = create();
    for (const key of ["a", "dir/b", "dirty", "c"]) await put(key, true);
    leased.forget("a");
    leased.forgetTree("dir");
    await put("c", true);
    await settle();
    expect(driver.leases.map(({ ended }) => ended)).toEqual([1, 1, 0, 1, 0]);
    await clock.advance(ttlMs);
    expect(driver.leases.map(({ renewals }) => renewals.length > 0)).toEqual([false, false, true, false, true]);
  });
});

describe("close", () => {
  it("gives keepAlive keys back and leaves the others to run out", async () => {
    const { clock, driver, leased, put } = create({ onTime: false });
    await put("kept", true);
    await put("left", false);
    await leased.close();
    expect(driver.leases.map(({ ended }) => ended)).toEqual([1, 0]);
    expect(clock.timers).toBe(0);
    await clock.advance(ttlMs * 2);
    expect(driver.leases[1]!.ended).toBe(0);
  });

  it("does not wait for a server that refuses, and takes back what comes after it", async () => {
    const { driver, leased, put } = create();
    await put("a", true);
    driver.leases[0]!.whenEnded = () => Promise.reject(unreachable());
    await leased.close();
    await put("late", true);
    expect(driver.leases[1]!.ended).toBe(1);
  });
});

describe("a server that lets keys go late", () => {
  it("is helped: the key is given up when its time is over", async () => {
    const { clock, driver, put } = create({ onTime: false });
    await put("a", false);
    await clock.advance(ttlMs - 1);
    expect(driver.leases[0]!.ended).toBe(0);
    await clock.advance(1);
    expect(driver.leases[0]!.ended).toBe(1);
  });

  it("counts from the last put", async () => {
    const { clock, driver, put } = create({ onTime: false });
    await put("a", false);
    await clock.advance(ttlMs - 1);
    await put("a", false);
    await clock.advance(ttlMs - 1);
    expect(driver.leases[1]!.ended).toBe(0);
    await clock.advance(1);
    expect(driver.leases[1]!.ended).toBe(1);
  });

  it("one that is on time is left alone", async () => {
    const { clock, driver, put } = create({ onTime: true });
    await put("a", false);
    expect(clock.timers).toBe(0);
    await clock.advance(ttlMs * 2);
    expect(driver.leases[0]!.ended).toBe(0);
  });
});

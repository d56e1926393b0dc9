import { describe, expect, it } from "vitest";
import { StoreError } from "../../../src/core/errors.js";
import { ManagedStore } from "../../../src/core/managed-store.js";
import { createDeferred } from "../../../src/util/deferred.js";
import { ManualClock, settle } from "./support/manual-clock.js";
import { TestDriver, unreachable } from "./support/test-driver.js";

function create(options: { batch?: boolean } = {}) {
  const clock = new ManualClock();
  const driver = new TestDriver();
  const store = new ManagedStore(driver, { clock, timeoutMs: 5_000, ...options });
  return { clock, driver, store };
}

/** Makes the driver fail its next calls of this name, once for each error. */
function failNext(driver: TestDriver, call: string, ...errors: Error[]): void {
  driver.before = (name) => {
    if (name !== call) return;
    const error = errors.shift();
    if (error !== undefined) throw error;
  };
}

describe("unreachable", () => {
  it("a write that surely did nothing is sent again when the store is connected again", async () => {
    const { driver, store } = create();
    failNext(driver, "write", unreachable("not-applied"));
    const pair = await store.put("a", "1");
    expect(pair.text()).toBe("1");
    expect(driver.sentAs("write")).toEqual([["a"], ["a"]]);
    expect(driver.sentAs("ping")).toHaveLength(1);
  });

  it("a write of unknown outcome is never sent again", async () => {
    const { driver, store } = create();
    failNext(driver, "write", unreachable("unknown"));
    await expect(store.put("a", "1")).rejects.toMatchObject({ code: "UNREACHABLE", outcome: "unknown", key: "a" });
    await settle();
    expect(driver.sentAs("write")).toEqual([["a"]]);
    expect(driver.data.has("a")).toBe(false);
  });

  it.each(["put", "delete", "deleteTree", "commit", "putLeased"])(
    "nor is a %s that says nothing of its outcome",
    async (name) => {
      const { driver, store } = create();
      const calls = { put: "write", delete: "write" } as Record<string, string>;
      failNext(driver, calls[name] ?? name, unreachable());
      const run: Record<string, () => Promise<unknown>> = {
        put: () => store.put("a", "1"),
        delete: () => store.delete("a"),
        deleteTree: () => store.deleteTree("a"),
        commit: () => store.atomic().put("a", "1").commit(),
        putLeased: () => store.put("a", "1", { ttlMs: 10_000 }),
      };
      await expect(run[name]!()).rejects.toMatchObject({ code: "UNREACHABLE", outcome: "unknown" });
      expect(driver.sentAs(calls[name] ?? name)).toHaveLength(1);
    },
  );

  it("reads are sent again, whatever the error says", async () => {
    const { clock, driver, store } = create();
    await store.put("a", "1");
    failNext(driver, "read", unreachable(), unreachable());
    const read = store.get("a");
    await clock.advance(1_000);
    expect((await read)?.text()).toBe("1");
    expect(driver.sentAs("read")).toHaveLength(3);
  });

  it("calls wait for the connection, and leave together when it is there", async () => {
    const { clock, driver, store } = create();
    let down = true;
    driver.before = () => {
      if (down) throw unreachable("not-applied");
    };
    const calls = Promise.all(["a", "b", "c"].map((key) => store.put(key, key)));
    await settle();
    const later = store.get("a");
    await clock.advance(1_000);
    expect(driver.sentAs("write")).toHaveLength(1);
    expect(driver.sentAs("read")).toHaveLength(0);
    down = false;
    await clock.advance(2_000);
    await calls;
    await later;
    expect(driver.sentAs("write")).toEqual([
      ["a", "b", "c"],
      ["a", "b", "c"],
    ]);
  });

  it("a call whose time was up meanwhile is not sent again", async () => {
    const { clock, driver, store } = create();
    let down = true;
    driver.before = () => {
      if (down) throw unreachable("not-applied");
    };
    const short = expect(store.put("a", "1", { timeoutMs: 100 })).rejects.toMatchObject({
      code: "UNREACHABLE",
      outcome: "not-applied",
    });
    const long = store.put("b", "2", { timeoutMs: 60_000 });
    await clock.advance(1_000);
    await short;
    down = false;
    await clock.advance(10_000);
    await long;
    expect(driver.sentAs("write")).toEqual([["a", "b"], ["b"]]);
    expect(driver.data.has("a")).toBe(false);
  });

  it("a server that answers the question but no call is not asked in a busy loop", async () => {
    const { clock, driver, store } = create();
    // The loop that this looks for would never let the test go on: after so many calls it is let go.
    driver.before = (call) => {
      if (call !== "ping" && driver.sent.length < 2_000) throw unreachable("not-applied");
    };
    const call = store.put("a", "1", { ttlMs: 60_000, timeoutMs: 4_000 }).catch((error: unknown) => error);
    const read = store.get("b", { timeoutMs: 4_000 }).catch((error: unknown) => error);
    await clock.advance(4_000);
    expect(await call).toMatchObject({ code: expect.stringMatching(/UNREACHABLE|TIMEOUT/) });
    expect(await read).toMatchObject({ code: expect.stringMatching(/UNREACHABLE|TIMEOUT/) });
    expect(driver.sent.length).toBeLessThan(100);
  });
});

describe("one bad call among good ones", () => {
  it("that is answered with an error fails alone", async () => {
    const { driver, store } = create();
    const write = driver.write.bind(driver);
    driver.write = async (operations, request) => {
      const answers = await write(operations, request);
      return answers.map((answer, at) =>
        operations[at]!.key === "bad" ? new StoreError("PERMISSION_DENIED", "not this one") : answer,
      );
    };
    const [first, bad, last] = await Promise.allSettled(["a", "bad", "c"].map((key) => store.put(key, key)));
    expect(driver.sentAs("write")).toEqual([["a", "bad", "c"]]);
    expect(first).toMatchObject({ status: "fulfilled", value: { key: "a" } });
    expect(last).toMatchObject({ status: "fulfilled", value: { key: "c" } });
    expect(bad).toMatchObject({ reason: { code: "PERMISSION_DENIED", key: "bad", outcome: "not-applied" } });
  });

  it.each([
    ["write", "put"],
    ["read", "get"],
  ] as const)("that brings a whole %s down is found by sending each alone", async (call, operation) => {
    const { driver, store } = create();
    for (const key of ["a", "c"]) driver.put(key, new Uint8Array([1]));
    driver.before = (name, keys) => {
      if (name === call && keys.includes("bad")) throw new StoreError("BACKEND", "no", { outcome: "not-applied" });
    };
    const run = (key: string): Promise<unknown> => (operation === "put" ? store.put(key, key) : store.get(key));
    const [first, bad, last] = await Promise.allSettled(["a", "bad", "c"].map(run));
    expect(driver.sentAs(call)).toEqual([["a", "bad", "c"], ["a"], ["bad"], ["c"]]);
    expect(first).toMatchObject({ value: { key: "a" } });
    expect(last).toMatchObject({ value: { key: "c" } });
    expect(bad).toMatchObject({ reason: { code: "BACKEND", key: "bad" } });
  });

  it("that may have been applied with its neighbours fails with them, each naming its own key", async () => {
    const { driver, store } = create();
    failNext(driver, "write", new StoreError("BACKEND", "broken off", { outcome: "unknown" }));
    const ended = await Promise.allSettled(["a", "b"].map((key) => store.put(key, key)));
    expect(ended).toMatchObject([
      { reason: { code: "BACKEND", outcome: "unknown", key: "a", backend: "test", endpoint: "test:1" } },
      { reason: { code: "BACKEND", outcome: "unknown", key: "b" } },
    ]);
    expect(driver.sentAs("write")).toHaveLength(1);
  });

  it("a driver that throws what is no StoreError does not stop the store", async () => {
    const { driver, store } = create();
    const bug = new TypeError("a bug");
    failNext(driver, "write", bug);
    await expect(store.put("a", "1")).rejects.toMatchObject({ code: "BACKEND", outcome: "unknown", cause: bug });
    await store.put("a", "2");
    await store.put("b", "3");
    expect(driver.data.get("a")?.text()).toBe("2");
  });
});

describe("calls that nobody waits for any more", () => {
  it("a write that was never answered lets the next to its key go only when it is over", async () => {
    const { clock, driver, store } = create();
    const hung = createDeferred<void>();
    driver.before = (_, keys) => (keys.includes("a") && driver.sentAs("write").length === 1 ? hung.promise : undefined);
    const timedOut = expect(store.put("a", "1", { timeoutMs: 50 })).rejects.toMatchObject({
      code: "TIMEOUT",
      outcome: "unknown",
    });
    await clock.advance(50);
    await timedOut;
    const second = store.put("a", "2");
    await settle();
    expect(driver.sentAs("write"), "the first may still be applied").toHaveLength(1);
    hung.resolve();
    await second;
    expect(driver.data.get("a")?.text()).toBe("2");
  });

  it("a write that waits behind another and is aborted is never sent", async () => {
    const { driver, store } = create();
    const hung = createDeferred<void>();
    driver.before = () => hung.promise;
    const first = store.put("a", "1");
    await settle();
    const abort = new AbortController();
    const second = store.put("a", "2", { signal: abort.signal });
    const third = store.put("a", "3");
    abort.abort(new Error("enough"));
    await expect(second).rejects.toThrow("enough");
    hung.resolve();
    await Promise.all([first, third]);
    expect(driver.data.get("a")?.text()).toBe("3");
    expect(driver.sentAs("write")).toEqual([["a"], ["a"]]);
  });

  it("a keepAlive put that was answered too late is taken back", async () => {
    const { clock, driver, store } = create();
    const late = createDeferred<void>();
    driver.after = () => late.promise;
    const call = expect(store.put("a", "1", { ttlMs: 60_000, keepAlive: true, timeoutMs: 50 })).rejects.toMatchObject({
      code: "TIMEOUT",
      outcome: "unknown",
    });
    await clock.advance(50);
    await call;
    expect(driver.leases[0]!.ended).toBe(0);
    late.resolve();
    await settle();
    expect(driver.leases[0]!.ended).toBe(1);
  });

  it("the signal of a request of its own fires when its call has settled", async () => {
    const { clock, driver, store } = create();
    driver.before = (call) => (call === "deleteTree" ? new Promise(() => {}) : undefined);
    const call = store.deleteTree("a", { timeoutMs: 50 }).catch(() => {});
    await settle();
    expect(driver.requests[0]!.signal?.aborted).toBe(false);
    await clock.advance(50);
    await call;
    expect(driver.requests[0]!.signal?.aborted).toBe(true);
  });

  it("thousands of writes to one key that all ran out of time leave in one go", async () => {
    const { clock, driver, store } = create();
    let down = true;
    driver.before = () => {
      if (down) throw unreachable("not-applied");
    };
    const calls = Array.from({ length: 8_000 }, (_, number) =>
      store.put("hot", String(number)).catch((error: StoreError) => error.code),
    );
    await clock.advance(6_000);
    expect(new Set(await Promise.all(calls))).toEqual(new Set(["UNREACHABLE"]));
    down = false;
    await clock.advance(3_000);
    await store.put("hot", "after");
    expect(driver.data.get("hot")?.text()).toBe("after");
  });
});

describe("order and batches", () => {
  it("writes to one key are in order, and no batch holds a key twice", async () => {
    const { driver, store } = create();
    await Promise.all([
      store.put("a", "1"),
      store.put("b", "1"),
      store.put("a", "2"),
      store.delete("a"),
      store.put("a", "3"),
    ]);
    for (const keys of driver.sentAs("write")) expect(new Set(keys).size).toBe(keys.length);
    expect(driver.sentAs("write")).toEqual([["a", "b"], ["a"], ["a"], ["a"]]);
    expect(driver.data.get("a")?.text()).toBe("3");
  });

  it("batch: false sends each call alone and at once", async () => {
    const { driver, store } = create({ batch: false });
    const hung = createDeferred<void>();
    driver.before = () => hung.promise;
    const calls = Promise.all(["a", "b", "c"].map((key) => store.put(key, key)));
    await settle();
    expect(driver.sentAs("write")).toEqual([["a"], ["b"], ["c"]]);
    hung.resolve();
    await calls;
  });

  it("a batch waits as long as the most patient of its calls", async () => {
    const { clock, driver, store } = create();
    await Promise.all([store.put("a", "1", { timeoutMs: 10 }), store.put("b", "2", { timeoutMs: 9_000 })]);
    expect(driver.requests[0]!.deadline).toBe(clock.now() + 9_000);
  });
});

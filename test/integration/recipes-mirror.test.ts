import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { KVPair } from "../../src/core/pair.js";
import type { Store } from "../../src/core/store.js";
import { createMirror, type InvalidValueError, type Mirror, typed } from "../../src/recipes/index.js";
import { waitUntil } from "../servers/index.js";
import { addressSchema } from "../unit/recipes/schemas.js";
import { recipeBackends, type RunningBackend } from "./recipes-backends.js";

const usable = recipeBackends.filter((backend) => !backend.skipped);

describe.each(usable)("on $name", (backend) => {
  let running: RunningBackend;
  let store: Store;
  /** Another client of the same data. */
  let other: Store;

  beforeAll(async () => {
    running = await backend.start();
    store = await running.open();
    other = await running.openDirect();
  });
  afterAll(() => running?.close());

  function same(mirror: Mirror<string>, pairs: readonly KVPair[]): boolean {
    const entries = mirror.list();
    return (
      entries.length === pairs.length &&
      pairs.every(({ key, revision }, at) => entries[at]!.key === key && entries[at]!.revision === revision) &&
      pairs.every((pair) => mirror.get(pair.key) === pair.text())
    );
  }

  it("a mirror is what the store holds, after many writers have written at random", async () => {
    const key = (): string => `random/${Math.floor(Math.random() * 40)}`;
    for (let index = 0; index < 20; index++) await other.put(`random/${index}`, "before");
    const mirror = createMirror(store, "random");
    const writer = async (client: Store, name: string): Promise<void> => {
      for (let round = 0; round < 60; round++) {
        if (Math.random() < 0.3) await client.delete(key());
        else await client.put(key(), `${name} ${round}`);
      }
    };
    await Promise.all([mirror.ready, writer(store, "a"), writer(other, "b"), writer(other, "c")]);
    const pairs = await other.list("random");
    await waitUntil("the mirror has caught up", async () => same(mirror, pairs), { timeoutMs: 10_000 });
    expect(mirror.stale).toBe(false);
    mirror.close();
  });

  it("a mirror of 5,000 keys is read in order", async () => {
    const keys = Array.from({ length: 5_000 }, (_, index) => `large/${index.toString().padStart(4, "0")}`);
    await Promise.all(keys.map((each) => other.put(each, each, { timeoutMs: 60_000 })));
    const mirror = createMirror(store, "large");
    await mirror.ready;
    expect(mirror.list().map((entry) => entry.value)).toEqual(keys);
    expect(await other.deleteTree("large", { timeoutMs: 60_000 })).toBe(5_000);
    await waitUntil("the mirror is empty", async () => mirror.size === 0, { timeoutMs: 20_000 });
    mirror.close();
  }, 120_000);

  it("a mirror never shows half of what was written together, where the backend can tell", async () => {
    const commit = store.atomic().put("both/a", "0").put("both/b", "0").commit();
    const { atomic, list } = store.capabilities;
    if (!atomic.acrossKeys) return expect(commit).rejects.toMatchObject({ code: "NOT_SUPPORTED" });
    await commit;
    const mirror = createMirror(store, "both");
    await mirror.ready;
    const halves: string[] = [];
    mirror.onChange(() => {
      if (mirror.get("both/a") !== mirror.get("both/b"))
        halves.push(
          mirror
            .list()
            .map(({ value }) => value)
            .join(),
        );
    });
    for (let round = 1; round <= 30; round++) {
      await other.atomic().put("both/a", `${round}`).put("both/b", `${round}`).commit();
    }
    await waitUntil("the last round", async () => mirror.get("both/a") === "30", { timeoutMs: 10_000 });
    if (list.snapshot) expect(halves).toEqual([]);
    mirror.close();
  });

  it("a bad value of another program leaves the last good one", async () => {
    const errors: InvalidValueError[] = [];
    await other.put("typed/db", '{"host":"a","port":1}');
    const mirror = createMirror(store, "typed", { schema: addressSchema, onInvalid: (error) => errors.push(error) });
    await mirror.ready;
    await other.put("typed/db", "not json");
    await waitUntil("the report", async () => errors.length === 1, { timeoutMs: 5_000 });
    expect(mirror.get("typed/db")).toEqual({ host: "a", port: 1 });
    await other.delete("typed/db");
    await waitUntil("it is gone", async () => mirror.get("typed/db") === undefined, { timeoutMs: 5_000 });
    mirror.close();
  });

  it("a typed value counts every update of two clients, and is watched", async () => {
    const [ours, theirs] = [typed(store, "address", addressSchema), typed(other, "address", addressSchema)];
    await ours.put({ host: "a", port: 0 });
    const watch = theirs.watch()[Symbol.asyncIterator]();
    const add = (now: { host: string; port: number } | undefined) => ({ host: "a", port: now!.port + 1 });
    const options = { timeoutMs: 30_000 };
    await Promise.all(Array.from({ length: 20 }, (_, index) => (index % 2 ? ours : theirs).update(add, options)));
    expect((await ours.get())?.port).toBe(20);
    for (;;) {
      const { value } = await watch.next();
      if (value?.port === 20) break;
    }
    await watch.return?.();
    await expect(ours.put({ host: "a", port: "x" })).rejects.toThrow(/not valid, at port/);
    expect((await theirs.get())?.port).toBe(20);
  });
});

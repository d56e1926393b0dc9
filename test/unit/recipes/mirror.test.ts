import { once } from "node:events";
import { afterEach, beforeEach, describe, expect, expectTypeOf, it } from "vitest";
import { createMemoryStore, type MemoryStore } from "../../../src/bolt/memory.js";
import type { KVPair } from "../../../src/core/pair.js";
import type { Store } from "../../../src/core/store.js";
import {
  createMirror,
  type InvalidValueError,
  type Mirror,
  type MirrorChange,
  type MirrorOptions,
  type MirrorState,
} from "../../../src/recipes/index.js";
import { sleep } from "../../../src/util/sleep.js";
import { waitUntil } from "../../servers/wait-until.js";
import { type Address, addressSchema, slowAddressSchema } from "./schemas.js";

let name = 0;
let store: MemoryStore;
/** Another client of the same data, which no outage of the first one touches. */
let other: MemoryStore;

beforeEach(async () => {
  name += 1;
  store = await createMemoryStore({ name: `mirror-${name}` });
  other = await createMemoryStore({ name: `mirror-${name}` });
});

afterEach(async () => {
  await Promise.all([store.close(), other.close()]);
});

async function mirrorOf<T = string>(options: MirrorOptions<T> = {}, of: Store = store): Promise<Mirror<T>> {
  const mirror = createMirror<T>(of, "config", options);
  await mirror.ready;
  return mirror;
}

/** Resolves with the changes of the next item that the mirror takes in. */
function nextChange<T>(mirror: Mirror<T>): Promise<readonly MirrorChange<T>[]> {
  return new Promise((resolve) => {
    const unsubscribe = mirror.onChange((changes) => {
      unsubscribe();
      resolve(changes);
    });
  });
}

function reaches(mirror: Mirror<unknown>, state: MirrorState): Promise<true> {
  return waitUntil(`the mirror is ${state}`, async () => mirror.state === state && true, { timeoutMs: 5_000 });
}

describe("reading", () => {
  it("is synchronous, by whole keys, sorted, and of the directory alone", async () => {
    for (const key of ["config/b", "config/a/y", "config/a/x", "config/a", "config", "configX/z"]) {
      await store.put(key, `value of ${key}`);
    }
    const mirror = await mirrorOf();
    expect(mirror.size).toBe(4);
    expect(mirror.get("config/a/x")).toBe("value of config/a/x");
    expect(mirror.get("/config//b/")).toBe("value of config/b");
    expect(mirror.get("config/nothing")).toBeUndefined();
    expect(mirror.list().map(({ key }) => key)).toEqual(["config/a", "config/a/x", "config/a/y", "config/b"]);
    expect(mirror.list("config/a").map(({ key }) => key)).toEqual(["config/a/x", "config/a/y"]);
    expect(mirror.list("config/z")).toEqual([]);
    expect(mirror.entry("config/b")?.revision).toBe((await store.get("config/b"))?.revision);
    expect(mirror.state).toBe("current");
    mirror.close();
  });

  it("follows the store, and tells what changed with what was there before", async () => {
    await store.put("config/a", "1");
    const mirror = await mirrorOf();
    let changed = nextChange(mirror);
    await store.put("config/a", "2");
    expect(await changed).toMatchObject([
      { type: "put", key: "config/a", entry: { value: "2" }, previous: { value: "1" } },
    ]);
    expect(mirror.get("config/a")).toBe("2");
    changed = nextChange(mirror);
    await store.atomic().delete("config/a").put("config/b", "3").commit();
    const changes = await changed;
    expect(changes.map(({ type, key }) => `${type} ${key}`).toSorted()).toEqual(["delete config/a", "put config/b"]);
    expect(mirror.list().map(({ value }) => value)).toEqual(["3"]);
    mirror.close();
  });

  it("takes in what was written together at once: no reader sees half of it", async () => {
    await store.atomic().put("config/a", "0").put("config/b", "0").commit();
    const mirror = await mirrorOf({ schema: { "~standard": { version: 1, vendor: "by hand", validate: later } } });
    const halves: unknown[] = [];
    mirror.onChange(() => {
      if (mirror.get("config/a") !== mirror.get("config/b")) halves.push(mirror.list());
    });
    for (let round = 1; round <= 20; round++) {
      await store.atomic().put("config/a", `${round}`).put("config/b", `${round}`).commit();
    }
    await waitUntil("the last round", async () => mirror.get("config/a") === 20, { timeoutMs: 5_000 });
    expect(halves).toEqual([]);
    mirror.close();
  });

  it("before the first state, or of another directory, is an error and not an absence", async () => {
    const mirror = createMirror(store, "config");
    expect(mirror.state).toBe("loading");
    expect(() => mirror.get("config/a")).toThrow(/await mirror\.ready/);
    expect(() => mirror.list()).toThrow(/await mirror\.ready/);
    expect(() => mirror.size).toThrow(/await mirror\.ready/);
    await mirror.ready;
    expect(() => mirror.get("other/a")).toThrow(
      'INVALID_ARGUMENT: the mirror is of "config", and "other/a" is not below it',
    );
    expect(() => mirror.list("other")).toThrow(/not below/);
    mirror.close();
  });

  it("of the whole store, and in a namespace, whose keys are its own", async () => {
    await store.put("app/config/a", "1");
    const all = createMirror(store, "");
    await all.ready;
    expect(all.get("app/config/a")).toBe("1");
    const inside = await mirrorOf({}, store.namespace("app"));
    expect(inside.get("config/a")).toBe("1");
    all.close();
    inside.close();
  });
});

/** Numbers, after an odd while: later ones may be ready before earlier ones. */
async function later(value: unknown): Promise<{ value: number }> {
  for (let turns = (Number(value) * 7) % 5; turns > 0; turns--) await new Promise((resolve) => setImmediate(resolve));
  return { value: Number(value) };
}

describe("typed values", () => {
  it("are what the validator gives, or any decoder", async () => {
    await store.put("config/db", '{"host":"a","port":"1"}');
    const mirror = await mirrorOf({ schema: addressSchema });
    expectTypeOf(mirror.get("config/db")).toEqualTypeOf<Address | undefined>();
    expect(mirror.get("config/db")).toEqual({ host: "a", port: 1 });
    const bytes = await mirrorOf({ decode: (pair) => pair.value.length });
    expect(bytes.get("config/db")).toBe(23);
    expect(() => createMirror<unknown>(store, "config", { schema: addressSchema, decode: () => 1 })).toThrow(
      /not both/,
    );
    mirror.close();
    bytes.close();
  });

  it.each([addressSchema, slowAddressSchema])(
    "that are bad leave the last good one, and are reported once",
    async (schema) => {
      const errors: InvalidValueError[] = [];
      await store.put("config/db", '{"host":"a","port":1}');
      await store.put("config/never", "bad");
      const mirror = await mirrorOf<Address>({ schema, onInvalid: (error) => errors.push(error) });
      expect(mirror.get("config/never")).toBeUndefined();
      const bad = await store.put("config/db", "bad");
      await waitUntil("the report", async () => errors.length === 2, { timeoutMs: 5_000 });
      expect(errors.map(({ key }) => key)).toEqual(["config/never", "config/db"]);
      expect(mirror.get("config/db")).toEqual({ host: "a", port: 1 });
      expect(mirror.invalid.get("config/db")?.revision).toBe(bad.revision);

      store.suspend();
      await store.resume();
      await reaches(mirror, "current");
      expect(errors).toHaveLength(2);

      const changed = nextChange(mirror);
      await store.put("config/db", '{"host":"b","port":2}');
      await changed;
      expect(mirror.get("config/db")).toEqual({ host: "b", port: 2 });
      expect([...mirror.invalid.keys()]).toEqual(["config/never"]);
      mirror.close();
    },
  );

  it("that are bad are absent under the policy drop", async () => {
    await store.put("config/db", '{"host":"a","port":1}');
    const mirror = await mirrorOf({ schema: addressSchema, invalid: "drop" });
    const changed = nextChange(mirror);
    await store.put("config/db", "bad");
    expect(await changed).toMatchObject([{ type: "delete", key: "config/db" }]);
    expect(mirror.get("config/db")).toBeUndefined();
    mirror.close();
  });
});

describe("an outage", () => {
  /** So slow that the watch after the outage is there before what the one before it told is decoded. */
  const slowly = async (pair: KVPair): Promise<string> => {
    await sleep(30);
    return pair.text();
  };

  it.each([
    ["", undefined],
    [", decoded slowly", slowly],
  ])("makes it stale, with what it had; it is current again with what it missed%s", async (_, decode) => {
    for (const key of ["config/changed", "config/deleted", "config/same"]) await store.put(key, "1");
    const mirror = await mirrorOf({ decode });
    const states: string[] = [];
    mirror.onStateChange(({ state, reason }) => states.push(`${state} ${reason?.code}`));
    store.suspend();
    expect(mirror.stale).toBe(true);
    await other.put("config/changed", "2");
    await other.delete("config/deleted");
    await other.put("config/new", "1");
    expect(mirror.get("config/changed")).toBe("1");
    const changed = nextChange(mirror);
    mirror.onStateChange(({ state }) => {
      // Never current with anything old.
      if (state === "current")
        states.push(
          mirror
            .list()
            .map(({ key, value }) => `${key}=${value}`)
            .join(),
        );
    });
    await store.resume();
    const changes = await changed;
    expect(changes.map(({ type, key }) => `${type} ${key}`).toSorted()).toEqual([
      "delete config/deleted",
      "put config/changed",
      "put config/new",
    ]);
    await reaches(mirror, "current");
    expect(states).toEqual(["stale UNREACHABLE", "current undefined", "config/changed=2,config/new=1,config/same=1"]);
    mirror.close();
  });

  it("that only a question finds out makes it stale too, until there is an answer", async () => {
    await store.put("config/a", "1");
    const mirror = await mirrorOf({ probeIntervalMs: 5 });
    const states: string[] = [];
    mirror.onStateChange(({ state, reason }) => states.push(`${state} ${reason?.code}`));
    store.failNext("ping", { code: "TIMEOUT" });
    await waitUntil("it is current again", async () => states.length === 2, { timeoutMs: 5_000 });
    expect(states).toEqual(["stale TIMEOUT", "current undefined"]);
    mirror.close();
  });

  it("that comes again and again leaves one watch behind", async () => {
    const mirror = await mirrorOf();
    for (let round = 0; round < 5; round++) {
      store.suspend();
      await store.resume();
    }
    await reaches(mirror, "current");
    await store.put("config/a", "1");
    await waitUntil("the change", async () => mirror.get("config/a") === "1", { timeoutMs: 5_000 });
    mirror.close();
  });
});

describe("its end", () => {
  it("is by close: what was read stays readable, nothing more comes", async () => {
    await store.put("config/a", "1");
    const mirror = await mirrorOf();
    mirror.close();
    mirror.close();
    expect(mirror.state).toBe("closed");
    expect(mirror.stale).toBe(true);
    await store.put("config/a", "2");
    expect(mirror.get("config/a")).toBe("1");
  });

  it("is with its store, and rejects ready when nothing had come", async () => {
    const mirror = await mirrorOf();
    store.suspend();
    const unready = createMirror(store, "config");
    await store.close();
    expect(mirror.state).toBe("closed");
    await expect(unready.ready).rejects.toMatchObject({ code: "CLOSED" });
    await expect(createMirror(store, "config").ready).rejects.toMatchObject({ code: "CLOSED" });
  });

  it("a listener that throws surfaces, and the others are told", async () => {
    const mirror = await mirrorOf();
    const thrown = new Error("the listener's own fault");
    mirror.onChange(() => {
      throw thrown;
    });
    const listeners = process.listeners("uncaughtException");
    process.removeAllListeners("uncaughtException");
    const surfaced = once(process, "uncaughtException");
    const changed = nextChange(mirror);
    await store.put("config/a", "1");
    await changed;
    expect((await surfaced)[0]).toBe(thrown);
    for (const listener of listeners) process.on("uncaughtException", listener);
    mirror.close();
  });
});

import { afterEach, beforeEach, describe, expect, expectTypeOf, it } from "vitest";
import { createMemoryStore, type MemoryStore } from "../../../src/bolt/memory.js";
import { InvalidValueError, type Typed, typed } from "../../../src/recipes/index.js";
import { type Address, addressSchema, slowAddressSchema } from "./schemas.js";

let store: MemoryStore;
let address: Typed<{ host: string; port: number | string }, Address>;

beforeEach(async () => {
  store = await createMemoryStore();
  address = typed(store, "config/db", addressSchema);
});

afterEach(() => store.close());

async function invalidOf(call: Promise<unknown>): Promise<InvalidValueError> {
  const error = await call.catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(InvalidValueError);
  return error as InvalidValueError;
}

describe("get and put", () => {
  it("give what the validator makes of the value, and undefined for an absent key", async () => {
    expect(await address.get()).toBeUndefined();
    await address.put({ host: "a", port: "5432" });
    expect((await store.get("config/db"))?.json()).toEqual({ host: "a", port: "5432" });
    const value = await address.get();
    expect(value).toEqual({ host: "a", port: 5432 });
    expectTypeOf(value).toEqualTypeOf<Address | undefined>();
    expect(await address.delete()).toBe(true);
    expect(await address.get()).toBeUndefined();
  });

  it("refuse a bad value before anything is written, and name the places, not the value", async () => {
    await address.put({ host: "a", port: 1 });
    const error = await invalidOf(address.put({ host: 5, port: "secret" } as never));
    expect(error.message).toBe('the value to write at key "config/db" is not valid, at host, port; issues says why');
    expect(error.revision).toBeUndefined();
    expect(error.issues.map(({ message }) => message)).toEqual(["host is 5", "port is no number"]);
    await invalidOf(address.put(undefined as never));
    expect(await address.get()).toEqual({ host: "a", port: 1 });
  });

  it.each([
    ["JSON of another shape", '{"host":"a"}', "port is no number"],
    ["text that is not JSON", "not json", "it is not JSON"],
    ["bytes that are not UTF-8", new Uint8Array([0xff]), "it is not UTF-8"],
  ])("say of %s which revision is bad", async (_name, value, message) => {
    const { revision } = await store.put("config/db", value);
    const error = await invalidOf(address.get());
    expect(error).toMatchObject({ key: "config/db", revision });
    expect(error.issues).toMatchObject([{ message }]);
    expect(error.message).not.toContain("not json");
  });

  it("wait for a validator that answers later", async () => {
    const slow = typed(store, "slow", slowAddressSchema);
    await slow.put({ host: "a", port: 1 });
    expect(await slow.get()).toEqual({ host: "a", port: 1 });
    await invalidOf(slow.put({ host: "a" }));
  });

  it("pass options on: a ttl, and a signal", async () => {
    const pair = await address.put({ host: "a", port: 1 }, { ttlMs: 60_000 });
    expect(pair.ttlMs).toBe(60_000);
    const reason = new Error("enough");
    await expect(address.get({ signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  });
});

describe("update", () => {
  it("creates, changes, leaves alone and deletes", async () => {
    expect(await address.update((now) => (now === undefined ? { host: "a", port: "1" } : undefined))).toEqual({
      host: "a",
      port: 1,
    });
    expect(await address.update(async (now) => ({ ...now!, port: now!.port + 1 }))).toEqual({ host: "a", port: 2 });
    expect(await address.update(() => undefined)).toEqual({ host: "a", port: 2 });
    expect(await address.update(() => null)).toBeUndefined();
    expect(await store.exists("config/db")).toBe(false);
  });

  it("loses nothing among many at once", async () => {
    await address.put({ host: "a", port: 0 });
    const more = Array.from({ length: 32 }, () => address.update((now) => ({ ...now!, port: now!.port + 1 })));
    await Promise.all(more);
    expect((await address.get())?.port).toBe(32);
  });

  it("writes nothing when it finds or is given a bad value", async () => {
    await store.put("config/db", "bad");
    await invalidOf(address.update(() => ({ host: "a", port: 1 })));
    expect((await store.get("config/db"))?.text()).toBe("bad");
    await address.put({ host: "a", port: 1 });
    await invalidOf(address.update(() => ({ host: 1 }) as never));
    expect(await address.get()).toEqual({ host: "a", port: 1 });
  });
});

describe("watch", () => {
  it("gives each value, and throws at a bad one", async () => {
    const watch = address.watch()[Symbol.asyncIterator]();
    expect((await watch.next()).value).toBeUndefined();
    await address.put({ host: "a", port: "1" });
    expect((await watch.next()).value).toEqual({ host: "a", port: 1 });
    await store.put("config/db", "bad");
    await invalidOf(watch.next());
    expect(await watch.next()).toEqual({ done: true, value: undefined });
  });

  it("reports bad values to onInvalid and goes on with the next good one", async () => {
    const errors: InvalidValueError[] = [];
    const watch = address.watch({ onInvalid: (error) => errors.push(error) })[Symbol.asyncIterator]();
    await address.put({ host: "a", port: 1 });
    expect((await watch.next()).value).toEqual({ host: "a", port: 1 });
    const bad = await store.put("config/db", "bad");
    await address.put({ host: "b", port: 2 });
    expect((await watch.next()).value).toEqual({ host: "b", port: 2 });
    expect(errors.map(({ revision }) => revision)).toEqual([bad.revision]);
    await watch.return?.();
  });

  it("ends at once when it is left while it waits, and by its signal", async () => {
    const left = address.watch()[Symbol.asyncIterator]();
    await left.next();
    const pending = left.next();
    expect(await left.return?.()).toEqual({ done: true, value: undefined });
    expect(await pending).toEqual({ done: true, value: undefined });

    const abort = new AbortController();
    const aborted = address.watch({ signal: abort.signal })[Symbol.asyncIterator]();
    await aborted.next();
    const reason = new Error("enough");
    abort.abort(reason);
    await expect(aborted.next()).rejects.toBe(reason);
  });

  it("keeps the order, asked for several at once, also where a bad one is left out", async () => {
    const watch = typed(store, "config/db", slowAddressSchema).watch({ onInvalid: () => undefined });
    const iterator = watch[Symbol.asyncIterator]();
    const items = [iterator.next(), iterator.next(), iterator.next()];
    await items[0];
    await store.put("config/db", "bad");
    for (const port of [1, 2]) await address.put({ host: "a", port });
    const values = (await Promise.all(items)).map(({ value }) => (value as Address | undefined)?.port);
    expect(values).toEqual([undefined, 1, 2]);
    await iterator.return?.();
  });
});

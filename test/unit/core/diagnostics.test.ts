import { channel, tracingChannel } from "node:diagnostics_channel";
import { afterEach, describe, expect, it } from "vitest";
import { createMemoryStore } from "../../../src/bolt/memory.js";
import type { StoreError } from "../../../src/core/errors.js";

type Event = Record<string, unknown>;

const secret = "the value that nobody may see";
const ends: (() => void)[] = [];

afterEach(() => {
  for (const end of ends.splice(0)) end();
});

/** What is published on a channel from now on. */
function listen(name: string): Event[] {
  const events: Event[] = [];
  const listener = (message: unknown): void => void events.push(message as Event);
  channel(name).subscribe(listener);
  ends.push(() => channel(name).unsubscribe(listener));
  return events;
}

/** The calls that are traced from now on, by the moment of each event. */
function trace(): { start: Event[]; asyncEnd: Event[]; error: Event[] } {
  const events = { start: [] as Event[], asyncEnd: [] as Event[], error: [] as Event[] };
  const subscribers = {
    start: (event: object) => void events.start.push({ ...event }),
    asyncEnd: (event: object) => void events.asyncEnd.push({ ...event }),
    error: (event: object) => void events.error.push({ ...event }),
    end: () => {},
    asyncStart: () => {},
  };
  tracingChannel("kvasir:call").subscribe(subscribers);
  ends.push(() => tracingChannel("kvasir:call").unsubscribe(subscribers));
  return events;
}

function shownIn(value: unknown): string {
  return JSON.stringify(value, (_, each: unknown) =>
    typeof each === "bigint" ? String(each) : each instanceof Uint8Array ? Buffer.from(each).toString() : each,
  );
}

describe("kvasir:call", () => {
  it("tells each call with its key, where it went, how often it was sent and with how many", async () => {
    const events = trace();
    await using store = await createMemoryStore();
    await Promise.all([store.put("a", secret), store.put("b", secret)]);
    await store.get("a");
    await store.list("");
    await store.delete("b");
    await store.newLock("l").tryLock();
    const where = { backend: "memory", endpoint: expect.any(String) as string };
    expect(events.start.map(({ operation }) => operation)).toEqual(["put", "put", "get", "list", "delete", "tryLock"]);
    expect(events.asyncEnd[0]).toMatchObject({ operation: "put", key: "a", attempt: 1, batchSize: 2, ...where });
    expect(events.asyncEnd[2]).toMatchObject({ operation: "get", key: "a", attempt: 1, batchSize: 1, ...where });
    expect(events.error).toEqual([]);
  });

  it("tells the error of a call that failed", async () => {
    const events = trace();
    await using store = await createMemoryStore();
    await store.put("a", secret);
    await store.atomicPut("a", secret, null).catch(() => {});
    expect(events.error).toHaveLength(1);
    expect(events.error[0]).toMatchObject({ operation: "atomicPut", key: "a" });
    expect((events.error[0]!["error"] as StoreError).code).toBe("KEY_EXISTS");
  });

  it("counts how often a call was sent", async () => {
    await using store = await createMemoryStore();
    const events = trace();
    store.failNext("ping", { code: "UNREACHABLE" });
    store.suspend();
    const put = store.put("a", secret);
    await store.resume();
    await put;
    const told = events.asyncEnd.find(({ operation }) => operation === "put");
    expect(told).toMatchObject({ attempt: 1, key: "a" });
  });
});

describe("the other channels", () => {
  it("kvasir:batch tells what left together", async () => {
    const events = listen("kvasir:batch");
    await using store = await createMemoryStore();
    await Promise.all([1, 2, 3].map((number) => store.put(`k${number}`, secret)));
    expect(events).toEqual([
      { operation: "write", backend: "memory", endpoint: expect.any(String), batchSize: 3, attempt: 1 },
    ]);
  });

  it("kvasir:watch tells when a watch starts, hears and ends, and how many share it", async () => {
    const events = listen("kvasir:watch");
    await using store = await createMemoryStore();
    const iterator = store.watch("a")[Symbol.asyncIterator]();
    await iterator.next();
    const changed = iterator.next();
    await store.put("a", secret);
    await changed;
    await iterator.return?.();
    expect(events.map(({ event, watchers }) => `${String(event)} ${String(watchers)}`)).toEqual([
      "started 1",
      "snapshot 1",
      "changes 1",
      "ended 0",
    ]);
    for (const event of events) expect(event).toMatchObject({ backend: "memory", key: "a" });
  });

  it("kvasir:state tells what onStateChange tells, and of which store", async () => {
    const events = listen("kvasir:state");
    const store = await createMemoryStore();
    const heard: unknown[] = [];
    store.onStateChange((change) => heard.push(change));
    store.suspend();
    await store.resume();
    await store.close();
    expect(events.map(({ state }) => state)).toEqual(["suspended", "connected", "closed"]);
    expect(events).toMatchObject(heard as Event[]);
    for (const event of events) expect(event).toMatchObject({ backend: "memory", endpoint: expect.any(String) });
  });
});

it("no event has a value in it", async () => {
  const events = [listen("kvasir:batch"), listen("kvasir:watch"), listen("kvasir:state"), trace()];
  await using store = await createMemoryStore();
  const iterator = store.watchTree("")[Symbol.asyncIterator]();
  await iterator.next();
  const pair = await store.put("a", secret);
  await store.put("kept", secret, { ttlMs: 5_000, keepAlive: true });
  await store.atomicPut("a", secret, pair);
  await store.atomicPut("a", secret, null).catch(() => {});
  await store.get("a");
  await store.list("");
  await store.update("a", () => secret);
  await store.atomic().put("b", secret).commit();
  await store.newLock("l", { value: secret }).lock();
  await iterator.next();
  await iterator.return?.();
  await store.loseLock("kept");
  expect(events.flatMap((each) => Object.values(each)).length).toBeGreaterThan(0);
  expect(shownIn(events)).not.toContain(secret);
  expect(shownIn(events)).toContain('"a"');
});

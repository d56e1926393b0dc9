import { expect, it } from "vitest";
import type { Event } from "../../../src/etcd/client/index.js";
import { HeldEvents } from "../../../src/etcd/held-events.js";

function event(key: string, revision: number): Event {
  const kv = {
    key: new TextEncoder().encode(key),
    value: new Uint8Array(0),
    createRevision: 1n,
    version: 1n,
    lease: 0n,
  };
  return { type: 0, kv: { ...kv, modRevision: BigInt(revision) }, prevKv: undefined };
}

it("keeps all events in order while they are few", () => {
  const held = new HeldEvents();
  held.add([event("a", 1), event("a", 2)]);
  held.add([event("b", 3)]);
  expect(held.take().map(({ kv }) => kv!.modRevision)).toEqual([1n, 2n, 3n]);
  expect(held.take()).toEqual([]);
});

it("keeps the last of each key, in order, when there are very many", () => {
  const held = new HeldEvents();
  for (let revision = 1; revision <= 60_000; revision++) held.add([event(`k${revision % 3}`, revision)]);
  const events = held.take();
  expect(events.length).toBeLessThanOrEqual(10_001);
  const revisions = events.map(({ kv }) => kv!.modRevision);
  expect(revisions).toEqual([...revisions].sort((a, b) => (a < b ? -1 : 1)));
  expect(revisions.at(-1)).toBe(60_000n);
});

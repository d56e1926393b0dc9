import { expect } from "vitest";
import { isStoreError } from "../../../src/core/errors.js";
import type { Store } from "../../../src/core/store.js";
import { itemsUntil } from "./calls.js";

/** What a killed server is checked with. */
export interface Kills {
  /** How often the server dies; more often while no put lost its answer by it. */
  readonly times: number;
  /** Kills the server and starts it again on the same data. */
  readonly killAndStart: () => Promise<unknown>;
  /** What the server holds at a key, asked without the store. */
  readonly held: (key: string) => Promise<string | undefined>;
  /** How long a put may take, in milliseconds. Default: the store's. */
  readonly putTimeoutMs?: number | undefined;
}

/** A server dies so often at most. A busy one has answered by chance all that it was asked, but not each time. */
const mostKills = 20;

/**
 * Writes with 32 callers while the server dies and comes back: every acknowledged write is there, and nothing that was
 * never asked for. A watch goes through all of it, and comes to the present state.
 */
export async function keepsWritesThroughKills(store: Store, kills: Kills): Promise<void> {
  const tree = store.watchTree("load")[Symbol.asyncIterator]();
  await tree.next();
  /** The last write of each key that was acknowledged, and the last that was asked for. */
  const acknowledged = new Map<string, number>();
  const asked = new Map<string, number>();
  const load = { over: false, unknown: 0 };
  const write = async (key: string): Promise<void> => {
    for (let n = 1; !load.over; n++) {
      asked.set(key, n);
      try {
        await store.put(key, String(n), { timeoutMs: kills.putTimeoutMs });
        acknowledged.set(key, n);
      } catch (error) {
        if (!isStoreError(error) || error.outcome !== "unknown") throw error;
        load.unknown++;
      }
    }
  };
  const writers = Promise.all(Array.from({ length: 32 }, (_, at) => write(`load/${at}`)));
  const progress = (): Promise<unknown> => {
    const before = acknowledged.get("load/0") ?? 0;
    const moved = expect.poll(() => acknowledged.get("load/0") ?? 0, { timeout: 30_000 }).toBeGreaterThan(before + 20);
    // A writer that fails says why at once.
    return Promise.race([moved, writers]);
  };
  for (let kill = 0; kill < kills.times || (load.unknown === 0 && kill < mostKills); kill++) {
    await progress();
    await kills.killAndStart();
  }
  await progress();
  load.over = true;
  await writers;
  expect(load.unknown).toBeGreaterThan(0);
  for (const [key, last] of acknowledged) {
    const found = Number(await kills.held(key));
    expect(found, key).toBeGreaterThanOrEqual(last);
    expect(found, key).toBeLessThanOrEqual(asked.get(key)!);
  }
  await store.put("load/end", "1");
  const items = await itemsUntil(tree, ({ changes }) => changes.some(({ key }) => key === "load/end"));
  const present = new Map((await store.list("load")).map((pair) => [pair.key, pair.revision]));
  expect(new Map(items.at(-1)!.pairs.map((pair) => [pair.key, pair.revision]))).toEqual(present);
  await tree.return?.();
}

/** Watches of a server that comes back without its data are told so, and go on from there. */
export async function seesEmptiedServer(store: Store, empty: () => Promise<unknown>): Promise<void> {
  for (let n = 0; n < 30; n++) await store.put("old/k", String(n));
  const tree = store.watchTree("old")[Symbol.asyncIterator]();
  const key = store.watch("old/k")[Symbol.asyncIterator]();
  expect((await tree.next()).value.pairs.length).toBe(1);
  expect((await key.next()).value?.text()).toBe("29");
  const { revision } = (await store.get("old/k"))!;
  await empty();
  const { value: emptied } = await tree.next();
  expect(emptied.pairs).toEqual([]);
  expect(emptied.changes.map(({ type }: { type: string }) => type)).toEqual(["delete"]);
  expect((await key.next()).value).toBeUndefined();
  // The server counts from the beginning again.
  expect((await store.put("old/k", "new", { timeoutMs: 20_000 })).revision).toBeLessThan(revision);
  expect((await tree.next()).value.pairs[0]?.text()).toBe("new");
  expect((await key.next()).value?.text()).toBe("new");
  await tree.return?.();
  await key.return?.();
}

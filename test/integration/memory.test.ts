import { randomUUID } from "node:crypto";
import fc from "fast-check";
import { test } from "vitest";
import { createMemoryStore, type MemoryStore } from "../../src/bolt/memory.js";
import { type Factory, storeSuite, type Timing, writeReport } from "../../src/testing/index.js";

/** Stores in memory, a fresh name for each case. */
function memoryFactory(name: string, makeTiming: (store: MemoryStore) => Timing): Factory {
  return {
    name,
    abilities: ["suspend", "options"],
    create: async () => {
      const name = `suite-${randomUUID()}`;
      const stores: MemoryStore[] = [];
      const open = async (options = {}): Promise<MemoryStore> => {
        const store = await createMemoryStore({ name, ...options });
        stores.push(store);
        return store;
      };
      const store = await open();
      return {
        store,
        timing: makeTiming(store),
        another: open,
        suspend: async () => {
          for (const each of stores) each.suspend();
        },
        resume: async () => {
          await Promise.all(stores.filter((each) => each.state !== "closed").map((each) => each.resume()));
        },
        close: async () => {
          await Promise.all(stores.map((each) => each.close()));
        },
      };
    },
  };
}

const concurrently = test.concurrent;
const report = writeReport(".cache/conformance");
const inRealTime = memoryFactory("memory", () => ({ ttlMs: 1_500 }));
storeSuite({ test, concurrently, factory: inRealTime, fc, report });
storeSuite({ test, concurrently, factory: inRealTime, fc, report, namespaced: true });

// The same with a clock that the test turns, as users' own tests do.
const byHand = memoryFactory("memory, clock turned by hand", (store) => ({
  ttlMs: 20_000,
  advance: (ms) => store.advance(ms),
}));
storeSuite({ test, concurrently, factory: byHand, fc });

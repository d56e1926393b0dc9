import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { test } from "vitest";
import { type BoltOptions, type BoltStore, connectBolt } from "../../src/bolt/index.js";
import { type Factory, storeSuite, type SuiteStoreOptions, writeReport } from "../../src/testing/index.js";

/** Stores on real files, a folder for each case. */
function boltFactory(name: string, settings: Partial<BoltOptions>, ttlMs: number): Factory {
  return {
    name,
    abilities: ["options"],
    create: async () => {
      const folder = await mkdtemp(join(tmpdir(), "kvasir-suite-"));
      const open = (options: SuiteStoreOptions = {}): Promise<BoltStore> =>
        connectBolt({ path: join(folder, "suite.db"), ...settings, ...options });
      const store = await open();
      return {
        store,
        timing: { ttlMs },
        another: open,
        close: async () => {
          await store.close();
          await rm(folder, { recursive: true });
        },
      };
    },
  };
}

const concurrently = test.concurrent;
const report = writeReport(".cache/conformance");
const exclusive = boltFactory("bolt", {}, 2_000);
storeSuite({ test, concurrently, factory: exclusive, fc, report });
storeSuite({ test, concurrently, factory: exclusive, fc, report, namespaced: true });

const shared = boltFactory("bolt shared", { shared: true }, 3_000);
storeSuite({ test, concurrently, factory: shared, fc, report });
storeSuite({ test, concurrently, factory: shared, fc, report, namespaced: true });

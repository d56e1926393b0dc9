import fc from "fast-check";
import { afterAll, beforeAll, test } from "vitest";
import { connectEtcd2, type Etcd2Store } from "../../src/etcd2/index.js";
import { type Factory, storeSuite, type SuiteStoreOptions, writeReport } from "../../src/testing/index.js";
import { createProxy, type EtcdServer, skipped, startEtcd } from "../servers/index.js";

/** The whole contract on a server of this version, each case below a prefix and behind a proxy of its own. */
export function suiteOn(version: string, name: string, options: { report: boolean }): void {
  const skipReason = skipped("etcd") ? "KVASIR_SKIP names etcd" : undefined;
  let server: EtcdServer;
  let cases = 0;

  if (skipReason === undefined) {
    beforeAll(async () => {
      server = await startEtcd({ version, v2: true });
    });
    afterAll(() => server?.close());
  }

  const factory: Factory = {
    name,
    abilities: ["suspend", "options"],
    create: async () => {
      const proxy = await createProxy(server.endpoint);
      const prefix = `suite/${++cases}`;
      const opened: Etcd2Store[] = [];
      const open = async (more: SuiteStoreOptions = {}): Promise<Etcd2Store> => {
        const store = await connectEtcd2({ endpoints: proxy.host, prefix, ...more });
        opened.push(store);
        return store;
      };
      const store = await open();
      return {
        store,
        timing: { ttlMs: 2_000 },
        another: open,
        suspend: async () => {
          proxy.refuse();
          proxy.cut();
        },
        resume: () => proxy.accept(),
        close: async () => {
          await Promise.all(opened.map((each) => each.close()));
          await proxy.close();
        },
      };
    },
  };

  const report = options.report ? writeReport(".cache/conformance") : undefined;
  const concurrently = test.concurrent;
  storeSuite({ test, concurrently, factory, fc, report, skipReason });
  storeSuite({ test, concurrently, factory, fc, report, skipReason, namespaced: true });
}

import fc from "fast-check";
import { afterAll, beforeAll, test } from "vitest";
import { connectConsul, type ConsulStore } from "../../src/consul/index.js";
import { type Factory, storeSuite, type SuiteStoreOptions, writeReport } from "../../src/testing/index.js";
import { type ConsulServer, createProxy, skipped, startConsul } from "../servers/index.js";

let server: ConsulServer;
let cases = 0;

const skipReason = skipped("consul") ? "KVASIR_SKIP names consul" : undefined;

if (skipReason === undefined) {
  beforeAll(async () => {
    server = await startConsul({ sessionTtlMin: "1s" });
  });
  afterAll(() => server?.close());
}

/** Stores on one agent, each case below a prefix of its own, behind a proxy that can be cut. */
const factory: Factory = {
  name: "consul",
  abilities: ["suspend", "options"],
  create: async () => {
    const proxy = await createProxy(server.endpoint);
    const prefix = `case-${cases++}`;
    const opened: ConsulStore[] = [];
    const open = async (options: SuiteStoreOptions = {}): Promise<ConsulStore> => {
      const store = await connectConsul({ endpoints: [proxy.host], prefix, ...options });
      opened.push(store);
      return store;
    };
    const store = await open();
    return {
      store,
      timing: { ttlMs: 2_000 },
      another: (options) => open(options),
      suspend: async () => {
        proxy.refuse();
        proxy.cut();
      },
      resume: async () => proxy.accept(),
      close: async () => {
        await Promise.all(opened.map((each) => each.close()));
        await proxy.close();
      },
    };
  },
};

const report = writeReport(".cache/conformance");
storeSuite({ test, concurrently: test.concurrent, factory, fc, report, skipReason });
storeSuite({ test, concurrently: test.concurrent, factory, fc, report, skipReason, namespaced: true });

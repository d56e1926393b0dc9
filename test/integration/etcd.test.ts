import fc from "fast-check";
import { afterAll, beforeAll, test } from "vitest";
import { connectEtcd } from "../../src/etcd/index.js";
import { type Factory, storeSuite, writeReport } from "../../src/testing/index.js";
import { createProxy, type EtcdServer, skipped, startEtcd } from "../servers/index.js";

const version = process.env["KVASIR_TEST_ETCD_VERSION"];
const skipReason = skipped("etcd") ? "KVASIR_SKIP names etcd" : undefined;
let server: EtcdServer;
let cases = 0;

if (skipReason === undefined) {
  beforeAll(async () => {
    server = await startEtcd({ version });
  });
  afterAll(() => server.close());
}

/** Stores on one server, each case below a prefix and behind a proxy of its own. */
const factory: Factory = {
  name: version === undefined ? "etcd" : `etcd ${version}`,
  abilities: ["suspend", "options"],
  create: async () => {
    const proxy = await createProxy(server.endpoint);
    const prefix = `suite/${++cases}`;
    const open = (options = {}) => connectEtcd({ endpoints: proxy.host, prefix, ...options });
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
        await store.close();
        await proxy.close();
      },
    };
  },
};

const concurrently = test.concurrent;
// The table of what each backend can is about the usual run.
const report = version === undefined ? writeReport(".cache/conformance") : undefined;
storeSuite({ test, concurrently, factory, fc, report, skipReason });
storeSuite({ test, concurrently, factory, fc, report, skipReason, namespaced: true });

import fc from "fast-check";
import { afterAll, beforeAll, test } from "vitest";
import { type Factory, storeSuite, writeReport } from "../../src/testing/index.js";
import { connectZookeeper } from "../../src/zookeeper/index.js";
import { createProxy, skipped, startZooKeeper, type ZooKeeperServer } from "../servers/index.js";

const version = process.env["KVASIR_TEST_ZOOKEEPER_VERSION"];
const skipReason = skipped("zookeeper") ? "KVASIR_SKIP names zookeeper" : undefined;
/** Long enough that a busy machine does not lose sessions, short enough to wait for. */
const sessionTimeoutMs = 3_000;
let server: ZooKeeperServer;
let cases = 0;

if (skipReason === undefined) {
  beforeAll(async () => {
    server = await startZooKeeper({ version });
  });
  afterAll(() => server.close());
}

/** Stores on one server, each case below a prefix and behind a proxy of its own. */
const factory: Factory = {
  name: version === undefined ? "zookeeper" : `zookeeper ${version}`,
  abilities: ["suspend", "options"],
  create: async () => {
    const proxy = await createProxy(server.endpoint);
    const prefix = `suite/${++cases}`;
    const open = (options = {}) => connectZookeeper({ endpoints: proxy.host, prefix, sessionTimeoutMs, ...options });
    const store = await open();
    return {
      store,
      timing: { ttlMs: sessionTimeoutMs },
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

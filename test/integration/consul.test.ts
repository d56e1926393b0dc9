import fc from "fast-check";
import { afterAll, beforeAll, test } from "vitest";
import { connectConsul, type ConsulStore } from "../../src/consul/index.js";
import { type Factory, storeSuite, type SuiteStoreOptions, writeReport } from "../../src/testing/index.js";
import { type ConsulServer, createProxy, skipped, startConsul } from "../servers/index.js";

const version = process.env["KVASIR_TEST_CONSUL_VERSION"];
/** The servers' `session_ttl_min`: "default" is Consul's own, 10 s, with which the suite takes several minutes. */
const sessionTtlMin = process.env["KVASIR_TEST_CONSUL_SESSION_TTL_MIN"] ?? "1s";
const ttlMs = sessionTtlMin === "default" ? 10_000 : 2_000;
let server: ConsulServer;
let cases = 0;

const skipReason = skipped("consul") ? "KVASIR_SKIP names consul" : undefined;

if (skipReason === undefined) {
  beforeAll(async () => {
    server = await startConsul({ version, sessionTtlMin: sessionTtlMin === "default" ? undefined : sessionTtlMin });
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
      timing: { ttlMs },
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

// The table of what each backend can is about the usual run.
const report = version === undefined && sessionTtlMin === "1s" ? writeReport(".cache/conformance") : undefined;
storeSuite({ test, concurrently: test.concurrent, factory, fc, report, skipReason });
storeSuite({ test, concurrently: test.concurrent, factory, fc, report, skipReason, namespaced: true });

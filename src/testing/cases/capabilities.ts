import assert from "node:assert/strict";
import type { CaseGroup } from "../case.js";

export const capabilitiesCases: CaseGroup = {
  name: "capabilities",
  cases: {
    "are complete": async ({ store, capabilities }) => {
      assert.equal(capabilities.backend, store.backend);
      assert.ok(Array.isArray(capabilities.keys.refuses));
      assert.ok(["always", "not-below-ephemeral", "never"].includes(capabilities.keys.withChildren));
      assert.ok(capabilities.values.maxBytes > 0);
      assert.ok(["bytes", "utf-8"].includes(capabilities.values.content));
      const { minimumMs, maximumMs, granularityMs, lateByFactor } = capabilities.ttl;
      assert.ok(minimumMs >= 1 && maximumMs >= minimumMs && granularityMs >= 1 && lateByFactor >= 1);
      assert.ok(["every-change", "latest-state"].includes(capabilities.watch));
      assert.ok(["revision", "version"].includes(capabilities.compareAndSet));
      assert.ok(["atomic", "chunked"].includes(capabilities.deleteTree));
      assert.ok(capabilities.atomic.maxOperations >= 2);
      for (const flag of [
        capabilities.list.snapshot,
        capabilities.scan.snapshot,
        capabilities.scan.boundedMemory,
        capabilities.lock.fair,
        capabilities.ttl.renewalKeepsRevision,
        capabilities.atomic.acrossKeys,
      ]) {
        assert.equal(typeof flag, "boolean");
      }
    },
    "the fixture's ttl is taken as it is": async ({ store, timing }) => {
      const pair = await store.put("k", "1", { ttlMs: timing.ttlMs });
      assert.ok(pair.ttlMs! <= timing.ttlMs * 1.5, `timing.ttlMs ${timing.ttlMs} is raised to ${pair.ttlMs}`);
    },
  },
};

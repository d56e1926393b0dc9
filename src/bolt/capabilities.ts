import type { Capabilities } from "../core/capabilities.js";

/** What a Bolt store can. `shared`: several processes take turns with the file, so that nobody keeps a common queue. */
export function boltCapabilities(shared: boolean): Capabilities {
  return {
    backend: "bolt",
    keys: { refuses: [], withChildren: "always" },
    // The format's own limit is 2 GiB; a value is also held in memory several times while it is written.
    values: { maxBytes: 256 * 1024 * 1024, content: "bytes" },
    ttl: {
      minimumMs: 1,
      maximumMs: Number.MAX_SAFE_INTEGER,
      granularityMs: 1,
      outlivesWriter: true,
      lateByFactor: 1,
      renewalKeepsRevision: true,
    },
    watch: shared ? "latest-state" : "every-change",
    compareAndSet: "revision",
    deleteTree: "atomic",
    list: { snapshot: true },
    scan: { snapshot: false, boundedMemory: true },
    atomic: { maxOperations: 10_000, acrossKeys: true },
    lock: { fair: !shared },
  };
}

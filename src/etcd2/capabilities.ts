import type { Capabilities } from "../core/capabilities.js";

/**
 * A write's body is a form, of which Go's server reads 10 MiB (net/http, `maxFormSize`), and a form takes three bytes
 * for one at the worst.
 */
export const maxValueBytes = 3_000_000;

/** A hundred years: the server adds it to the time of day in nanoseconds, in 64 bits, which end in 2262. */
const maximumTtlMs = 100 * 365 * 86_400_000;

export const etcd2Capabilities: Capabilities = {
  backend: "etcd2",
  keys: { refuses: ["segments that start with _"], withChildren: "never" },
  values: { maxBytes: maxValueBytes, content: "utf-8" },
  // The leader lets expired keys go twice a second.
  ttl: {
    minimumMs: 1_000,
    maximumMs: maximumTtlMs,
    granularityMs: 1_000,
    outlivesWriter: true,
    lateByFactor: 1,
    // `modifiedIndex` moves on, with `refresh` as well.
    renewalKeepsRevision: false,
  },
  watch: "latest-state",
  compareAndSet: "revision",
  deleteTree: "atomic",
  list: { snapshot: true },
  scan: { snapshot: true, boundedMemory: false },
  // A compare-and-swap: one comparison and one write of the same key.
  atomic: { maxOperations: 2, acrossKeys: false },
  lock: { fair: false },
};

/** The server hides nodes whose name starts with an underscore from lists and watches. */
export function refuseKey(key: string): string | undefined {
  if (!key.startsWith("_") && !key.includes("/_")) return undefined;
  return "etcd v2 hides segments that start with _ from lists and watches";
}

import type { Capabilities } from "../core/capabilities.js";

/**
 * How many operations a transaction may have, nested ones included: etcd's `--max-txn-ops` unless the operator changed
 * it (server/embed/config.go, `DefaultMaxTxnOps`).
 */
export const maxTxnOperations = 128;

/** The largest request: etcd's `--max-request-bytes` unless the operator changed it (1.5 MiB). */
const maxRequestBytes = 1.5 * 1024 * 1024;

/** Room for the longest key, a prefix of the same length, and the fields around them. */
const requestOverheadBytes = 4 * 1024;

/**
 * The server raises a shorter lease to one and a half election timeouts, rounded up to seconds: 2 s with the default of
 * 1,000 ms (server/etcdserver/server.go, `minTTL`).
 */
const minimumTtlMs = 2_000;

/** The longest lease in milliseconds: 9,000,000,000 s (server/lease/lessor.go, `MaxLeaseTTL`), as far as a number is exact. */
const maximumTtlMs = 9_000_000_000_000;

export const etcdCapabilities: Capabilities = {
  backend: "etcd",
  keys: { refuses: [], withChildren: "always" },
  values: { maxBytes: maxRequestBytes - requestOverheadBytes, content: "bytes" },
  // The server looks for expired leases twice a second, so a key goes up to a second late.
  ttl: {
    minimumMs: minimumTtlMs,
    maximumMs: maximumTtlMs,
    granularityMs: 1_000,
    outlivesWriter: true,
    lateByFactor: 1,
    renewalKeepsRevision: true,
  },
  watch: "every-change",
  compareAndSet: "revision",
  deleteTree: "atomic",
  list: { snapshot: true },
  scan: { snapshot: true, boundedMemory: true },
  atomic: { maxOperations: maxTxnOperations, acrossKeys: true },
  lock: { fair: true },
};

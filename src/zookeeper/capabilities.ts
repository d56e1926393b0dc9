import type { Capabilities } from "../core/capabilities.js";

/**
 * Room in a request for the longest key and a prefix of the same length, twice over, the guard's path, and the fields
 * around them.
 */
const requestOverheadBytes = 8 * 1024;

/** Enough that one transaction stays far below the servers' `jute.maxbuffer` but for its values. */
const maxAtomicOperations = 128;

/** `sessionTimeoutMs` is what the servers granted, `maxRequestBytes` their `jute.maxbuffer`. */
export function zookeeperCapabilities(sessionTimeoutMs: number, maxRequestBytes: number): Capabilities {
  return {
    backend: "zookeeper",
    keys: {
      refuses: ["characters U+E000-F8FF, U+FFF0-FFFF and beyond the BMP", "the first segment zookeeper"],
      withChildren: "not-below-ephemeral",
    },
    values: { maxBytes: maxRequestBytes - requestOverheadBytes, content: "bytes" },
    ttl: {
      minimumMs: sessionTimeoutMs,
      maximumMs: 9_000_000_000_000,
      granularityMs: 1,
      outlivesWriter: false,
      lateByFactor: 1,
      renewalKeepsRevision: true,
    },
    // Notifications carry no data: what is read after them may be a later state.
    watch: "latest-state",
    compareAndSet: "version",
    deleteTree: "chunked",
    list: { snapshot: false },
    scan: { snapshot: false, boundedMemory: false },
    atomic: { maxOperations: maxAtomicOperations, acrossKeys: true },
    lock: { fair: true },
  };
}

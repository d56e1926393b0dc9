import type { Capabilities } from "../core/capabilities.js";

/**
 * A request's body may have 512 KiB (`limits.txn_max_req_len`, and before it `kv_max_value_size`), and carries values in
 * base64, four bytes for three, beside the key and the operation around it.
 */
export const maxValueBytes = 393_000 - 2_000;

/** `minimumTtlMs` is the servers' `session_ttl_min`. */
export function consulCapabilities(minimumTtlMs: number): Capabilities {
  return {
    backend: "consul",
    keys: { refuses: ["characters that are not printable, such as spaces other than U+0020"], withChildren: "always" },
    values: { maxBytes: maxValueBytes, content: "bytes" },
    ttl: {
      minimumMs: minimumTtlMs,
      maximumMs: 86_400_000,
      granularityMs: 1,
      outlivesWriter: true,
      // The servers check sessions late on purpose: structs.SessionTTLMultiplier is 2.
      lateByFactor: 2,
      renewalKeepsRevision: true,
    },
    watch: "latest-state",
    compareAndSet: "revision",
    deleteTree: "atomic",
    list: { snapshot: true },
    scan: { snapshot: true, boundedMemory: false },
    atomic: { maxOperations: 32, acrossKeys: true },
    lock: { fair: false },
  };
}

/** What Go's `unicode.IsPrint` says of a character, as far as the versions of Unicode agree. */
const printable = /^[\p{L}\p{M}\p{N}\p{P}\p{S} ]*$/u;

/** Agents answer 400 to a path with other characters (`disable_http_unprintable_char_filter` is off by default). */
export function refuseKey(key: string): string | undefined {
  return printable.test(key) ? undefined : "Consul refuses characters that are not printable in its paths";
}

import type { Expectation } from "../core/driver.js";
import { StoreError } from "../core/errors.js";
import { KVPair } from "../core/pair.js";
import type { DataReply, Stat } from "./client/index.js";

/** Values from here on are copied out of larger answers, so that keeping one does not keep all of the answer. */
const copyFromBytes = 4 * 1024;

/** A node as it was read; `undefined` where there was none. */
export type Node = DataReply | undefined;

/** Grows with each write of a node, also when it is deleted and made again. */
export function revisionOf(stat: Stat): bigint {
  return (stat.mzxid << 32n) | BigInt(stat.version >>> 0);
}

/**
 * Whether the node holds a key's value, or is there only for those below it: without data, or of length 0 and never
 * written since it was created. A key that was put empty was created and then written, so it has a version above 0.
 */
export function isKey({ data, stat }: DataReply): boolean {
  return data !== null && (data.length > 0 || stat.version > 0);
}

/** The pair that a node holds; `undefined` for a directory. */
export function pairOf(key: string, node: DataReply): KVPair | undefined {
  return isKey(node) ? new KVPair(key, bytesOf(node.data!), revisionOf(node.stat)) : undefined;
}

/** Data as the caller's own bytes. */
function bytesOf(data: Buffer): Uint8Array {
  const { buffer, byteOffset, length } = data;
  if (length >= copyFromBytes && buffer.byteLength > 2 * length) return new Uint8Array(data);
  return new Uint8Array(buffer, byteOffset, length);
}

/** The version that a revision speaks of. */
export function versionOf(revision: bigint): number {
  return Number(BigInt.asIntN(32, revision));
}

/** The transaction that a revision speaks of. */
export function mzxidOf(revision: bigint): bigint {
  return revision >> 32n;
}

/** Why a conditional write was not carried out. */
export function conflict(key: string, expected: Expectation): StoreError {
  const details = { key, outcome: "not-applied" } as const;
  return expected === "absent"
    ? new StoreError("KEY_EXISTS", "the key is there already", details)
    : new StoreError("KEY_MODIFIED", "the key was changed or deleted since it was read", details);
}

/** A key with a ttl, and a held lock, are ephemeral nodes, and those have no children. */
export function hasChildren(key: string): StoreError {
  const reason = "ZooKeeper gives no ttl and no lock to a key that has keys below it";
  return new StoreError("NOT_SUPPORTED", reason, { key, outcome: "not-applied" });
}

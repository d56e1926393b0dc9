import type { Acquired, Contender, Request } from "../core/driver.js";
import { decodeUtf8 } from "../util/bytes.js";
import type { WriteQuery } from "./client/client.js";
import { Etcd2Error, hasCode } from "./client/errors.js";
import type { Cluster } from "./cluster.js";
import { belowKey, besideAnother, hasKeysBelow, storeError } from "./errors.js";
import { KeyLease } from "./lease.js";
import { look } from "./reads.js";
import { ttlOf } from "./writes.js";

/** How long one request may take, in milliseconds. */
const callTimeoutMs = 5_000;

/** What a contender finds at the key. */
type Place = { readonly type: "free" } | { readonly type: "held"; readonly index: number };

/**
 * Takes a lock as Go's libkv does: the key itself, created with a ttl where nothing is. A key without a ttl is a plain
 * value, which is replaced.
 *
 * The create goes out without the caller's signal and deadline: cut in the middle it could leave a lock that nobody
 * holds. What is acquired too late the core gives back. When the reply of a create is lost, nothing tells its key from
 * that of another contender with the same value, so the contender waits until it is gone, for its ttl at most.
 */
export async function acquireLock(
  cluster: Cluster,
  contender: Contender,
  request: Request,
): Promise<Acquired | undefined> {
  let place: Place = { type: "free" };
  for (;;) {
    request.signal?.throwIfAborted();
    if (place.type === "free") {
      const acquired = await write(cluster, contender, { prevExist: false });
      if (acquired !== undefined) return acquired;
      const found = await examine(cluster, contender);
      if ("lease" in found) return found;
      place = found;
    } else {
      if (!contender.wait) return undefined;
      place = await waitForEnd(cluster, contender.key, place.index, request);
    }
  }
}

/** Puts the contender's value, if the server finds what the query expects. */
async function write(
  cluster: Cluster,
  { key, value, ttlMs }: Contender,
  expected: Pick<WriteQuery, "prevExist" | "prevIndex">,
): Promise<Acquired | undefined> {
  const { client, keys, clock } = cluster;
  const renewedAt = clock.now();
  const text = decodeUtf8(value);
  try {
    const query = { ...expected, ...ttlOf(ttlMs) };
    const { index, node } = await client.put(keys.path(key), text, query, { deadline: renewedAt + callTimeoutMs });
    const leased = { key, ttlMs, value: text, index, createdIndex: node!.createdIndex };
    return { token: BigInt(index), lease: new KeyLease(cluster, leased), renewedAt };
  } catch (error) {
    if (hasCode(error, "keyExists", "compareFailed", "keyNotFound", "notFile")) return undefined;
    if (hasCode(error, "notDirectory")) throw besideAnother(key, belowKey);
    throw storeError(error, true);
  }
}

/** What is in the way of a create. */
async function examine(cluster: Cluster, contender: Contender): Promise<Place | Acquired> {
  const { clock, keys, directories } = cluster;
  const { key } = contender;
  const request = { deadline: clock.now() + callTimeoutMs };
  try {
    const { node, index } = await look(cluster, key, { consistency: "linearizable" }, request);
    if (node === undefined) return { type: "free" };
    if (node.dir === true) {
      if (await directories.clear(keys.path(key), request)) return { type: "free" };
      throw besideAnother(key, hasKeysBelow);
    }
    if (node.expiration !== undefined) return { type: "held", index };
    const replaced = await write(cluster, contender, { prevIndex: BigInt(node.modifiedIndex) });
    return replaced ?? { type: "free" };
  } catch (error) {
    throw storeError(error, true);
  }
}

/** Waits for whatever happens next at the key, and tells what is there then. */
async function waitForEnd(cluster: Cluster, key: string, index: number, request: Request): Promise<Place> {
  const { client, clock, keys, watchCheckMs } = cluster;
  const { signal } = request;
  try {
    const deadline = Math.min(request.deadline, clock.now() + watchCheckMs);
    const query = { waitIndex: index + 1, recursive: false };
    const { action } = await client.wait(keys.path(key), query, { deadline, signal });
    if (action === "delete" || action === "expire" || action === "compareAndDelete") return { type: "free" };
  } catch (error) {
    // Nothing happened for long, or so much elsewhere that the server has forgotten: look again.
    const timeout = error instanceof Etcd2Error && error.reason === "timeout";
    if (!timeout && !hasCode(error, "indexCleared")) throw storeError(error, false);
  }
  if (clock.now() >= request.deadline) throw storeError(deadlineOver(cluster), false);
  try {
    const asked = { deadline: Math.min(request.deadline, clock.now() + callTimeoutMs), signal };
    const found = await look(cluster, key, { consistency: "linearizable" }, asked);
    const held = found.node?.expiration !== undefined;
    return held ? { type: "held", index: found.index } : { type: "free" };
  } catch (error) {
    throw storeError(error, false);
  }
}

function deadlineOver({ client }: Cluster): Etcd2Error {
  const [endpoint = ""] = client.endpoints;
  return new Etcd2Error("timeout", "the lock is held by another", { endpoint, outcome: "not-applied" });
}

import type { Lease, Request } from "../core/driver.js";
import type { EtcdNode } from "./client/messages.js";
import { Etcd2Error, hasCode } from "./client/errors.js";
import type { Cluster } from "./cluster.js";
import { storeError } from "./errors.js";
import { look } from "./reads.js";
import { ttlOf } from "./writes.js";

/** How long to look for what ended a key, in milliseconds: the server has it in its history or not. */
const historyMs = 1_000;

/** What is known of a key with a ttl after its put. */
export interface LeasedKey {
  readonly key: string;
  readonly ttlMs: number;
  readonly value: string;
  /** Its `modifiedIndex`. */
  readonly index: number;
  readonly createdIndex: number;
}

/**
 * The ttl of one key. A renewal is a compare-and-swap on the index that the last one left, as in Go's libkv, so that it
 * never prolongs what another has put there since; with `refresh` it leaves the value and wakes no watch.
 */
export class KeyLease implements Lease {
  readonly ttlMs: number;
  readonly #cluster: Cluster;
  readonly #leased: LeasedKey;
  readonly #path: string;
  #index: bigint;
  /** A renewal may have been carried out whose reply was lost, so the index may be another. */
  #unsure = false;

  constructor(cluster: Cluster, leased: LeasedKey) {
    this.ttlMs = leased.ttlMs;
    this.#cluster = cluster;
    this.#leased = leased;
    this.#path = cluster.keys.path(leased.key);
    this.#index = BigInt(leased.index);
  }

  async renew(request: Request): Promise<"renewed" | "lost" | "ended"> {
    try {
      const query = { ...ttlOf(this.ttlMs), prevIndex: this.#index, refresh: true, noValueOnSuccess: true };
      const { index } = await this.#cluster.client.put(this.#path, undefined, query, request);
      this.#index = BigInt(index);
      this.#unsure = false;
      return "renewed";
    } catch (error) {
      if (hasCode(error, "compareFailed")) return (await this.#findAgain(request)) ? this.renew(request) : "ended";
      if (hasCode(error, "keyNotFound")) return this.#howItEnded(request);
      if (hasCode(error, "notFile", "notDirectory")) return "ended";
      if (error instanceof Etcd2Error && error.outcome === "unknown") this.#unsure = true;
      throw storeError(error, true);
    }
  }

  async end(request: Request): Promise<void> {
    try {
      await this.#cluster.client.delete(this.#path, { prevIndex: this.#index }, request);
    } catch (error) {
      if (hasCode(error, "compareFailed") && (await this.#findAgain(request))) return this.end(request);
      // It is gone, or another's.
      if (!hasCode(error, "compareFailed", "keyNotFound", "notFile", "notDirectory")) throw storeError(error, true);
    }
  }

  /** Whether the key is still ours at another index, the one that a renewal left whose reply was lost. */
  async #findAgain(request: Request): Promise<boolean> {
    if (!this.#unsure) return false;
    const { node } = await look(this.#cluster, this.#leased.key, { consistency: "linearizable" }, request).catch(
      (error: unknown) => {
        throw storeError(error, false);
      },
    );
    this.#unsure = false;
    if (node === undefined || !this.#isOurs(node)) return false;
    this.#index = BigInt(node.modifiedIndex);
    return true;
  }

  /** A put by another makes a new node, and a comparing one without a ttl takes the ttl away. */
  #isOurs({ createdIndex, value, expiration }: EtcdNode): boolean {
    return createdIndex === this.#leased.createdIndex && value === this.#leased.value && expiration !== undefined;
  }

  /** The key is not there: the server let it expire, or somebody deleted it, as its history tells. */
  async #howItEnded(request: Request): Promise<"lost" | "ended"> {
    const { client, clock } = this.#cluster;
    try {
      const query = { waitIndex: Number(this.#index) + 1, recursive: false };
      const deadline = Math.min(request.deadline, clock.now() + historyMs);
      const { action } = await client.wait(this.#path, query, { ...request, deadline });
      return action === "expire" ? "lost" : "ended";
    } catch {
      return "ended";
    }
  }
}

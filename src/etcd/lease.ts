import type { Lease, LeasedPair, PutOperation, Request } from "../core/driver.js";
import { isStoreError } from "../core/errors.js";
import { KVPair } from "../core/pair.js";
import { copyBytes } from "../util/bytes.js";
import { EtcdError, type LeaseTerm } from "./client/index.js";
import type { Cluster } from "./cluster.js";
import { storeError } from "./errors.js";
import { comparison, conflict, plainOp } from "./writes.js";

/** How long an attempt to give back a lease that nobody needs may take, in milliseconds. */
const dropTimeoutMs = 2_000;

/** A lease with one key on it, or with a lock's two. */
export class EtcdLease implements Lease {
  readonly id: bigint;
  readonly ttlMs: number;
  readonly #cluster: Cluster;
  #renewedAt: number;

  constructor(cluster: Cluster, { id, ttlMs, sentAt }: LeaseTerm) {
    this.#cluster = cluster;
    this.id = id;
    this.ttlMs = ttlMs;
    this.#renewedAt = sentAt;
  }

  /** When, by the store's clock, the last request that the server acknowledged was sent. */
  get renewedAt(): number {
    return this.#renewedAt;
  }

  async renew(request: Request): Promise<"renewed" | "lost"> {
    const { clock, client } = this.#cluster;
    const askedAt = clock.now();
    try {
      // The answer may be to an earlier question, whose asker gave up: it promises less than the caller would count on.
      do {
        const { sentAt } = await client.leases.renew(this.id, this.#cluster.bounds(request));
        this.#renewedAt = Math.max(this.#renewedAt, sentAt);
      } while (this.#renewedAt < askedAt);
      return "renewed";
    } catch (error) {
      if (error instanceof EtcdError && error.reason === "lease-not-found") return "lost";
      throw storeError(error, this.#cluster.endpoint, false);
    }
  }

  /** Keys that were put again without the lease, or with another, are not its own any more, and stay. */
  async end(request: Request): Promise<void> {
    await this.#cluster.writing(request, (bounds) => this.#cluster.client.leases.revoke(this.id, bounds));
  }

  /** Ends it without anybody waiting for the success: it runs out by itself otherwise. */
  async drop(): Promise<void> {
    try {
      await this.end({ deadline: this.#cluster.clock.now() + dropTimeoutMs });
    } catch {
      // It runs out.
    }
  }
}

/** Grants a lease. When that fails nothing has been written, whatever became of the lease: it has no key. */
export async function grantLease(cluster: Cluster, ttlMs: number, request: Request): Promise<EtcdLease> {
  try {
    return new EtcdLease(cluster, await cluster.client.leases.grant(ttlMs, cluster.bounds(request)));
  } catch (error) {
    if (!(error instanceof EtcdError)) throw storeError(error, cluster.endpoint, true);
    const { reason, status, etcdMessage, endpoint } = error;
    const harmless = new EtcdError({ reason, status, etcdMessage, endpoint, outcome: "not-applied", cause: error });
    throw storeError(harmless, cluster.endpoint, true);
  }
}

/** A put with a ttl: the lease first, then the key with it. */
export async function putLeased(
  cluster: Cluster,
  operation: PutOperation,
  ttlMs: number,
  request: Request,
): Promise<LeasedPair> {
  const { keys, client } = cluster;
  const { key, value, expected } = operation;
  const lease = await grantLease(cluster, ttlMs, request);
  try {
    const revision = await cluster.writing(request, async (bounds) => {
      if (expected === undefined) {
        return (await client.kv.put({ key: keys.encode(key), value, lease: lease.id }, bounds)).header!.revision;
      }
      const compare = [comparison(keys, key, expected)];
      const txn = { compare, success: [plainOp(keys, operation, lease.id)], failure: [] };
      const { succeeded, header } = await client.kv.txn(txn, bounds);
      if (!succeeded) throw conflict(key, expected);
      return header!.revision;
    });
    return { pair: new KVPair(key, copyBytes(value), revision, lease.ttlMs), lease };
  } catch (error) {
    await dropUnused([lease], error);
    throw error;
  }
}

/** Gives leases back whose keys were surely not written; others may have keys on them by now. */
export async function dropUnused(leases: readonly EtcdLease[], error: unknown): Promise<void> {
  if (!isStoreError(error) || error.outcome !== "not-applied" || error.code === "UNREACHABLE") return;
  await Promise.all(leases.map((lease) => lease.drop()));
}

import type { Acquired, Contender, Request } from "../core/driver.js";
import { KeptLease } from "../core/kept-lease.js";
import { StoreError } from "../core/errors.js";
import { Backoff } from "../util/backoff.js";
import { encodeUtf8 } from "../util/bytes.js";
import { sleep } from "../util/sleep.js";
import {
  type Compare,
  compareCreateRevision,
  EtcdError,
  type EtcdCallOptions,
  isPassing,
  putOp,
  rangeOp,
  WatchCreateRequest_FilterType as FilterType,
} from "./client/index.js";
import { RangeRequest_SortOrder as SortOrder, RangeRequest_SortTarget as SortTarget } from "./client/generated/kv.js";
import type { Cluster } from "./cluster.js";
import { storeError } from "./errors.js";
import { HeldLease } from "./held-lease.js";
import { type EtcdLease, grantLease } from "./lease.js";
import { rangeIn } from "./reads.js";

/** How long one question of a contender may take, in milliseconds, before it is asked again. */
const questionMs = 5_000;

/**
 * Takes a lock in the layout of etcd's `concurrency` package, which `etcdctl lock` shares: a key for each contender, on
 * a lease of its own, and the one created first holds. The holder also writes the lock's value at the lock's key, on the
 * same lease, so that both go together.
 */
export async function acquireLock(
  cluster: Cluster,
  contender: Contender,
  request: Request,
): Promise<Acquired | undefined> {
  for (;;) {
    // Not cut short by an abort: only who hears of a lease can end it.
    const lease = await grantLease(cluster, contender.ttlMs, { deadline: cluster.clock.now() + questionMs });
    const place = new QueuePlace(cluster, contender, lease);
    try {
      const token = await place.take(request.signal);
      if (token !== undefined) return { token, lease: place.held(token), renewedAt: place.lease.renewedAt };
      await place.lease.drop();
      return undefined;
    } catch (error) {
      // A lost lease has taken the place in the queue with it: to the end of the queue, with another.
      const lost = error instanceof PlaceLost;
      if (lost) void place.lease.drop();
      else await place.lease.drop();
      if (!lost) throw error instanceof EtcdError ? storeError(error, cluster.endpoint, true) : error;
    }
  }
}

/** The contender's key is gone, or will be before it could be known. */
class PlaceLost extends Error {}

/** One contender's key on the server, and the wait for its turn. */
class QueuePlace {
  readonly lease: EtcdLease;
  readonly #cluster: Cluster;
  readonly #contender: Contender;
  readonly #key: Uint8Array;
  /** Aborted when the lease is lost, or nobody waits for the lock any more. */
  readonly #over = new AbortController();

  constructor(cluster: Cluster, contender: Contender, lease: EtcdLease) {
    this.#cluster = cluster;
    this.#contender = contender;
    this.lease = lease;
    this.#key = cluster.keys.contender(contender.key, lease.id);
  }

  /** The lease for as long as the lock is held with this token. */
  held(token: bigint): HeldLease {
    return new HeldLease(this.#cluster, this.lease, this.#key, token);
  }

  /** Gives the token once the lock is held, or `undefined` when it is not free and nobody wants to wait. */
  async take(signal: AbortSignal | undefined): Promise<bigint | undefined> {
    const kept = new KeptLease(this.lease, this.lease.renewedAt, this.#cluster.clock, {
      onLost: () => this.#over.abort(new PlaceLost()),
    });
    const onAbort = (): void => this.#over.abort(signal!.reason);
    signal?.addEventListener("abort", onAbort, { once: true });
    if (signal?.aborted === true) onAbort();
    try {
      const token = await this.#contend();
      if (token !== undefined && !kept.held) throw new PlaceLost();
      this.#over.signal.throwIfAborted();
      return token;
    } finally {
      kept.stop();
      signal?.removeEventListener("abort", onAbort);
    }
  }

  async #contend(): Promise<bigint | undefined> {
    const { created, holds } = await this.#enter();
    if (holds || created === undefined) return created;
    for (let wait = await this.#predecessor(created); wait !== undefined; wait = await this.#predecessor(created)) {
      if (!this.#contender.wait) return undefined;
      await this.#goneAfter(wait.key, wait.revision);
    }
    // The wait may have outlasted the lease without anybody noticing: the server has to say that it still is there.
    await this.#untilAnswered(() => this.#renew());
    return this.#writeValue(created);
  }

  /**
   * Puts the contender's key, and the lock's value with it where nobody else is there. Asked again when the answer is
   * lost: the key is named after the lease, so whatever was done before is found, and nothing is done twice.
   */
  async #enter(): Promise<{ created: bigint | undefined; holds: boolean }> {
    const { key, id, wait } = this.#contender;
    const { keys, client } = this.#cluster;
    const contend = putOp({ key: this.#key, value: encodeUtf8(id), lease: this.lease.id });
    const own = rangeOp({ key: this.#key, keysOnly: true });
    const { key: first, rangeEnd } = keys.contenders(key);
    const nobody: Compare = { ...compareCreateRevision(first, 0n), rangeEnd };
    const txn = {
      compare: [nobody],
      success: [contend, this.#valueOp()],
      failure: wait ? [contend, own] : [own],
    };
    const { succeeded, header, responses } = await this.#untilAnswered((bounds) => client.kv.txn(txn, bounds));
    if (succeeded) return { created: header!.revision, holds: true };
    return { created: rangeIn(responses.at(-1)).kvs[0]?.createRevision, holds: false };
  }

  /** Who is next before us, and the revision at which that was so. */
  async #predecessor(created: bigint): Promise<{ key: Uint8Array; revision: bigint } | undefined> {
    const { keys, client } = this.#cluster;
    const { kvs, header } = await this.#untilAnswered((bounds) =>
      client.kv.range(
        {
          ...keys.contenders(this.#contender.key),
          maxCreateRevision: created - 1n,
          sortTarget: SortTarget.CREATE,
          sortOrder: SortOrder.DESCEND,
          limit: 1n,
          keysOnly: true,
        },
        bounds,
      ),
    );
    return kvs[0] && { key: kvs[0].key, revision: header!.revision };
  }

  /** Waits until a key that was there at a revision is deleted, or that may have been missed. */
  #goneAfter(key: Uint8Array, revision: bigint): Promise<void> {
    const { signal } = this.#over;
    return new Promise((resolve, reject) => {
      if (signal.aborted) return reject(signal.reason);
      const onAbort = (): void => {
        watch.cancel();
        reject(signal.reason);
      };
      const done = (): void => {
        watch.cancel();
        signal.removeEventListener("abort", onAbort);
        resolve();
      };
      const watch = this.#cluster.client.watcher.watch(
        { key, startRevision: revision + 1n, filters: [FilterType.NOPUT] },
        {
          onEvents: done,
          onCompacted: done,
          onError: (error) => {
            signal.removeEventListener("abort", onAbort);
            reject(error);
          },
        },
      );
      signal.addEventListener("abort", onAbort, { once: true });
    });
  }

  async #renew(): Promise<void> {
    const deadline = this.#cluster.clock.now() + questionMs;
    if ((await this.lease.renew({ deadline, signal: this.#over.signal })) === "lost") throw new PlaceLost();
  }

  /** Writes the lock's value, provided that the contender's key still is the one that was waited with. */
  async #writeValue(created: bigint): Promise<bigint> {
    const compare = [compareCreateRevision(this.#key, created)];
    const txn = { compare, success: [this.#valueOp()], failure: [] };
    const { succeeded } = await this.#untilAnswered((bounds) => this.#cluster.client.kv.txn(txn, bounds));
    if (!succeeded) throw new PlaceLost();
    return created;
  }

  #valueOp() {
    const { key, value } = this.#contender;
    return putOp({ key: this.#cluster.keys.encode(key), value, lease: this.lease.id });
  }

  /** Asks until there is an answer, or the place is lost or given up: for questions that may be asked twice. */
  async #untilAnswered<T>(ask: (bounds: EtcdCallOptions) => Promise<T>): Promise<T> {
    const backoff = new Backoff({ initialMs: 20, maximumMs: 1_000 });
    const { signal } = this.#over;
    for (;;) {
      signal.throwIfAborted();
      try {
        return await ask({ timeoutMs: questionMs, signal });
      } catch (error) {
        signal.throwIfAborted();
        const failure = error instanceof StoreError ? error.cause : error;
        if (!(failure instanceof EtcdError)) throw error;
        if (failure.reason === "lease-not-found") throw new PlaceLost();
        if (!isPassing(failure)) throw error;
        await sleep(backoff.next(), { clock: this.#cluster.clock, signal });
      }
    }
  }
}

import type { Lease, Request } from "../core/driver.js";
import type { StoreError } from "../core/errors.js";
import { type EtcdWatch, WatchCreateRequest_FilterType as FilterType } from "./client/index.js";
import type { Cluster } from "./cluster.js";
import { storeError } from "./errors.js";
import type { EtcdLease } from "./lease.js";

/**
 * The lease of a lock that is held. The lock is lost with the contender's key, even while the lease lives: an operator
 * may have deleted it, and the next in line holds then. So the key is watched.
 */
export class HeldLease implements Lease {
  readonly ttlMs: number;
  readonly #cluster: Cluster;
  readonly #lease: EtcdLease;
  readonly #key: Uint8Array;
  readonly #created: bigint;

  constructor(cluster: Cluster, lease: EtcdLease, key: Uint8Array, created: bigint) {
    this.#cluster = cluster;
    this.#lease = lease;
    this.#key = key;
    this.#created = created;
    this.ttlMs = lease.ttlMs;
  }

  renew(request: Request): Promise<"renewed" | "lost"> {
    return this.#lease.renew(request);
  }

  end(request: Request): Promise<void> {
    return this.#lease.end(request);
  }

  onLost(listener: (reason: StoreError | undefined) => void): () => void {
    let over = false;
    let watch: EtcdWatch | undefined;
    const lost = (): void => {
      if (!over) listener(undefined);
    };
    const watchFrom = (revision: bigint): void => {
      watch = this.#cluster.client.watcher.watch(
        { key: this.#key, startRevision: revision, filters: [FilterType.NOPUT] },
        { onEvents: lost, onCompacted: () => void look(), onError: (error) => giveUp(error) },
      );
    };
    // A watch without an event is resumed where it began, which may be compacted away in a long hold.
    const look = async (): Promise<void> => {
      try {
        const { kvs, header } = await this.#cluster.client.kv.range({ key: this.#key, keysOnly: true });
        if (over) return;
        if (kvs[0]?.createRevision === this.#created) watchFrom(header!.revision + 1n);
        else lost();
      } catch (error) {
        giveUp(error);
      }
    };
    // Cut off: the deadline of the lease decides. Forbidden: nobody can say any more that the lock is held.
    const giveUp = (error: unknown): void => {
      const failure = storeError(error, this.#cluster.endpoint, false);
      if (failure.code === "UNREACHABLE" || failure.code === "TIMEOUT") {
        if (!over) void look();
      } else if (!over) {
        listener(failure);
      }
    };
    watchFrom(this.#created + 1n);
    return () => {
      over = true;
      watch?.cancel();
    };
  }
}

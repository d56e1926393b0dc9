import type { Lease, LeasedPair, PutOperation, Request } from "../core/driver.js";
import { isStoreError, type StoreError } from "../core/errors.js";
import type { Stat } from "./client/index.js";
import { applyTransaction } from "./commit.js";
import type { Ensemble } from "./ensemble.js";
import { nowOrLater } from "./later.js";
import { revisionOf } from "./nodes.js";

/** An ephemeral node with a key's value: it lives as long as the store's session. */
export class NodeLease implements Lease {
  readonly ttlMs: number;
  readonly #ensemble: Ensemble;
  readonly #key: string;
  readonly #revision: bigint;
  readonly #session: bigint;

  constructor(ensemble: Ensemble, key: string, stat: Stat, ttlMs: number) {
    this.#ensemble = ensemble;
    this.#key = key;
    this.#revision = revisionOf(stat);
    this.#session = stat.ephemeralOwner;
    this.ttlMs = ttlMs;
  }

  async renew(request: Request): Promise<"renewed" | "lost" | "ended"> {
    const { client, paths } = this.#ensemble;
    const path = paths.of(this.#key);
    const { stat } = await this.#ensemble.reading(request, (bounds) => client.exists(path, bounds));
    if (stat !== undefined && revisionOf(stat) === this.#revision) return "renewed";
    return this.#ensemble.session?.id === this.#session ? "ended" : "lost";
  }

  /** The session goes on, and the node with it: what cannot be deleted now is deleted later. */
  end(request: Request): Promise<void> {
    return nowOrLater(this.#ensemble, this.#session, request, (each) =>
      deleteIfUnchanged(this.#ensemble, this.#key, this.#revision, each),
    );
  }

  onLost(listener: (reason: StoreError | undefined) => void): () => void {
    return this.#ensemble.onSessionLost(this.#session, listener);
  }
}

/** Deletes a key if it still is what it was. */
export async function deleteIfUnchanged(
  ensemble: Ensemble,
  key: string,
  revision: bigint,
  request: Request,
): Promise<void> {
  const checks = [{ key, expected: { revision } }];
  try {
    await applyTransaction(ensemble, { checks, writes: [{ type: "delete", key }] }, request);
  } catch (error) {
    if (!isStoreError(error, "KEY_MODIFIED")) throw error;
    ensemble.forget(key);
  }
}

/** A put with a ttl: the key's node becomes an ephemeral one. */
export async function putLeased(
  ensemble: Ensemble,
  { key, value, expected }: PutOperation,
  ttlMs: number,
  request: Request,
): Promise<LeasedPair> {
  const checks = expected === undefined ? [] : [{ key, expected }];
  const { puts } = await applyTransaction(ensemble, { checks, writes: [{ type: "put", key, value, ttlMs }] }, request);
  const { pair, stat } = puts[0]!;
  return { pair, lease: new NodeLease(ensemble, key, stat, ttlMs) };
}

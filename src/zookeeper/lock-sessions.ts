import { isStoreError } from "../core/errors.js";
import type { ZooKeeperClient } from "./client/index.js";
import { Ensemble } from "./ensemble.js";
import { storeError } from "./errors.js";

/** Opens a client whose session outlives that many milliseconds of silence. */
export type OpenSession = (sessionTimeoutMs: number) => Promise<ZooKeeperClient>;

/**
 * The sessions that locks live with. A lock's ttl is how long its holder may be cut off, which is the timeout of its
 * session. So locks with a ttl that the store's own session does not reach have another, one for all of the same ttl.
 */
export class LockSessions {
  readonly #own: Ensemble;
  readonly #ownTimeoutMs: number;
  readonly #open: OpenSession;
  readonly #others = new Map<number, Promise<Ensemble>>();

  /** `ownTimeoutMs` is what the servers granted the store's own session. */
  constructor(own: Ensemble, ownTimeoutMs: number, open: OpenSession) {
    this.#own = own;
    this.#ownTimeoutMs = ownTimeoutMs;
    this.#open = open;
  }

  /** Where locks with this ttl live. Rejects with `UNREACHABLE` when no session could be opened. */
  async for(ttlMs: number): Promise<Ensemble> {
    if (ttlMs <= this.#ownTimeoutMs) return this.#own;
    const present = this.#others.get(ttlMs);
    if (present !== undefined) return present;
    const opening = this.#openFor(ttlMs);
    this.#others.set(ttlMs, opening);
    opening.catch(() => this.#others.delete(ttlMs));
    return opening;
  }

  async close(): Promise<void> {
    const others = [...this.#others.values()];
    this.#others.clear();
    await Promise.allSettled(others.map(async (other) => (await other).client.close()));
  }

  async #openFor(ttlMs: number): Promise<Ensemble> {
    const { paths, clock, endpoint, acl } = this.#own;
    try {
      return new Ensemble({ client: await this.#open(ttlMs), paths, clock, endpoint, acl, shared: this.#own });
    } catch (error) {
      const explained = storeError(error, endpoint, true);
      throw isStoreError(explained) ? explained.with({ outcome: "not-applied" }) : explained;
    }
  }
}

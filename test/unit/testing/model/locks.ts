import type { Contender, Request } from "../../../../src/core/driver.js";
import { StoreError } from "../../../../src/core/errors.js";
import { createDeferred } from "../../../../src/util/deferred.js";
import type { ModelServer, ServerLease } from "./server.js";

export interface Taken {
  readonly token: bigint;
  readonly lease: ServerLease;
  readonly at: number;
}

/** Those who wait for a lock, in the order they came. */
const queues = new WeakMap<ModelServer, Map<string, symbol[]>>();

function queueOf(server: ModelServer, key: string): symbol[] {
  const ofServer = queues.get(server) ?? new Map<string, symbol[]>();
  queues.set(server, ofServer);
  const queue = ofServer.get(key) ?? [];
  ofServer.set(key, queue);
  return queue;
}

/** Locks of a model server: a holder and a queue for each key. */
export class ModelLocks {
  readonly #server: ModelServer;

  constructor(server: ModelServer) {
    this.#server = server;
  }

  async acquire(contender: Contender, { deadline, signal }: Request): Promise<Taken | undefined> {
    const { key, wait } = contender;
    const queue = queueOf(this.#server, key);
    if (queue.length === 0 && !this.#server.holders.has(key)) return this.#take(contender);
    if (!wait) return undefined;
    const place = Symbol(contender.id);
    const turn = createDeferred<Taken>();
    const look = (): void => {
      if (this.#server.isCut) return turn.reject(new StoreError("UNREACHABLE", "the connection is cut"));
      if (queue[0] === place && !this.#server.holders.has(key)) turn.resolve(this.#take(contender));
    };
    const onAbort = (): void => turn.reject(signal!.reason);
    const leftMs = deadline - this.#server.clock.now();
    const late = Number.isFinite(leftMs)
      ? this.#server.clock.after(leftMs, () => turn.reject(new StoreError("TIMEOUT", "the lock is held", { key })))
      : undefined;
    queue.push(place);
    this.#server.released.add(look);
    signal?.addEventListener("abort", onAbort);
    if (signal?.aborted === true) onAbort();
    try {
      return await turn.promise;
    } finally {
      late?.cancel();
      signal?.removeEventListener("abort", onAbort);
      this.#server.released.delete(look);
      queue.splice(queue.indexOf(place), 1);
      // Whoever stands first now may have been passed over while this one still stood there.
      for (const listener of this.#server.released) listener(key);
    }
  }

  #take({ key, value, ttlMs }: Contender): Taken {
    const lease = this.#server.grant(key, ttlMs);
    this.#server.holders.set(key, lease);
    const { revision } = this.#server.put(key, value, lease);
    return { token: revision, lease, at: this.#server.clock.now() };
  }
}

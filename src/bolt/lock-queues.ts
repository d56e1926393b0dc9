import { createDeferred, type Deferred } from "../util/deferred.js";

/** A place in a lock's queue. */
export interface QueuePlace {
  /** Settles when it is worth trying again: it is this one's turn, or something happened to the key. */
  wait(): Promise<void>;
  readonly isFirst: boolean;
  leave(): void;
}

interface Waiter {
  wake: Deferred<void> | undefined;
}

/** Those of this process who wait for a lock, in the order they came. */
export class LockQueues {
  readonly #queues = new Map<string, Waiter[]>();

  /** Whether somebody waits for the lock on this key. */
  hasWaiters(key: string): boolean {
    return this.#queues.has(key);
  }

  join(key: string): QueuePlace {
    const waiter: Waiter = { wake: undefined };
    const queue = this.#queues.get(key) ?? [];
    queue.push(waiter);
    this.#queues.set(key, queue);
    return {
      get isFirst() {
        return queue[0] === waiter;
      },
      wait: () => {
        waiter.wake ??= createDeferred();
        return waiter.wake.promise;
      },
      leave: () => {
        const at = queue.indexOf(waiter);
        if (at === -1) return;
        queue.splice(at, 1);
        if (queue.length === 0) this.#queues.delete(key);
        else this.wake(key);
      },
    };
  }

  /** Something happened to the key, or the one in front left: the first tries. */
  wake(key: string): void {
    const first = this.#queues.get(key)?.[0];
    first?.wake?.resolve();
    if (first !== undefined) first.wake = undefined;
  }

  wakeAll(): void {
    for (const key of this.#queues.keys()) this.wake(key);
  }
}

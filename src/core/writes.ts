import type { Clock } from "../util/clock.js";
import type { Committed, DeleteOperation, Driver, LeasedPair, PutOperation, Request, Transaction } from "./driver.js";
import type { LeasedKeys } from "./leased-keys.js";
import type { KVPair } from "./pair.js";
import type { Requests } from "./requests.js";
import type { Sender } from "./sender.js";
import type { CallOptions } from "./store.js";

/** What the writes of a store need of it. */
export interface WritesHost {
  readonly driver: Driver;
  readonly clock: Clock;
  readonly requests: Requests;
  readonly sender: Sender;
  readonly leased: LeasedKeys;
}

/** A put that was checked, with the ttl that will take effect. */
export interface CheckedPut {
  readonly operation: PutOperation;
  readonly ttlMs: number | undefined;
  readonly keepAlive: boolean;
}

/** The writes of a store, and what becomes of the ttls of the keys that they touch. */
export class Writes {
  readonly #host: WritesHost;

  constructor(host: WritesHost) {
    this.#host = host;
  }

  put(name: string, { operation, ttlMs, keepAlive }: CheckedPut, options: CallOptions | undefined): Promise<KVPair> {
    const { sender, requests, leased } = this.#host;
    const subject = { operation: name, key: operation.key, write: true };
    if (ttlMs !== undefined) return this.#putLeased(name, operation, { ttlMs, keepAlive }, options);
    return sender.send<KVPair>(
      subject,
      options,
      (call) => requests.write(operation, call),
      () => leased.forget(operation.key),
    );
  }

  delete(name: string, operation: DeleteOperation, options: CallOptions | undefined): Promise<boolean> {
    const { sender, requests, leased } = this.#host;
    const subject = { operation: name, key: operation.key, write: true };
    return sender.send<boolean>(
      subject,
      options,
      (call) => requests.write(operation, call),
      () => leased.forget(operation.key),
    );
  }

  async deleteTree(tree: string, options: CallOptions): Promise<number> {
    const { driver, sender, leased } = this.#host;
    const subject = { operation: "deleteTree", key: tree, write: true };
    const count = await sender.single(subject, options, (request) => driver.deleteTree(tree, request), { tree });
    leased.forgetTree(tree);
    return count;
  }

  async commit(
    transaction: Transaction,
    keepAlive: ReadonlySet<string>,
    options: CallOptions | undefined,
  ): Promise<KVPair[]> {
    const { driver, clock, sender, leased } = this.#host;
    const { checks, writes } = transaction;
    const keys = [...new Set([...checks, ...writes].map(({ key }) => key))];
    let sentAt = 0;
    const commit = (request: Request): Promise<Committed> => {
      sentAt = clock.now();
      return driver.commit(transaction, request);
    };
    const onLate = async (late: Committed): Promise<void> => {
      for (const { pair, lease } of late) if (lease) await leased.abandon(lease, keepAlive.has(pair.key));
    };
    const subject = { operation: "commit", key: "", write: true };
    const committed = await sender.single(subject, options, commit, { keys }, onLate);
    for (const { key } of writes) leased.forget(key);
    const puts = writes.filter((write) => write.type === "put");
    for (const [at, { pair, lease }] of committed.entries()) {
      if (lease === undefined) continue;
      leased.add(puts[at]!, { pair, lease }, { keepAlive: keepAlive.has(pair.key), sentAt });
    }
    return committed.map(({ pair }) => pair);
  }

  async #putLeased(
    name: string,
    operation: PutOperation,
    { ttlMs, keepAlive }: { ttlMs: number; keepAlive: boolean },
    options: CallOptions | undefined,
  ): Promise<KVPair> {
    const { driver, clock, sender, leased } = this.#host;
    const { key } = operation;
    let sentAt = 0;
    const put = (request: Request): Promise<LeasedPair> => {
      sentAt = clock.now();
      return driver.putLeased(operation, ttlMs, request);
    };
    const onLate = ({ lease }: LeasedPair): Promise<void> => leased.abandon(lease, keepAlive);
    const subject = { operation: name, key, write: true };
    const answer = await sender.single(subject, options, put, { keys: [key] }, onLate);
    leased.add(operation, answer, { keepAlive, sentAt });
    return answer.pair;
  }
}

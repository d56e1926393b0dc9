import { lockSuffix } from "../core/keys.js";
import { Backoff } from "../util/backoff.js";
import { sleep } from "../util/sleep.js";
import { NoNodeError, type RequestOptions, ZooKeeperError } from "./client/index.js";
import { createDirectories } from "./directories.js";
import type { Ensemble } from "./ensemble.js";
import { isPassing } from "./errors.js";
import { untilDone } from "./later.js";
import { contenderNumber } from "./lock-layout.js";
import { childOf } from "./paths.js";
import { pruneEmpty } from "./prune.js";

/** How long one request of a contender may take, in milliseconds, before it is asked again. */
const questionMs = 5_000;

/** The contender's node is gone, or its session is over. */
export class PlaceLost extends Error {}

/** A contender's node in the queue of a lock. */
export class QueuePlace {
  readonly #ensemble: Ensemble;
  readonly #queue: string;
  /** What the node's name begins with: unique, so that it is found when the answer to its creation was lost. */
  readonly #name: string;
  #path: string | undefined;
  #token = 0n;
  #session: bigint | undefined;
  /** The queue as it was right after the node was created. */
  #firstSeen: readonly string[] | undefined;
  /** Whether the node may be there though its creation was not answered. */
  #maybeThere = false;
  readonly #signal: AbortSignal | undefined;

  /** With the signal's abort `enter` and `waitForTurn` end; whether there is a node by then, `leave` finds out. */
  constructor(ensemble: Ensemble, queue: string, id: string, signal: AbortSignal | undefined) {
    this.#ensemble = ensemble;
    this.#queue = queue;
    this.#name = `_c_${id}-lock-`;
    this.#signal = signal;
  }

  get queue(): string {
    return this.#queue;
  }

  get path(): string {
    return this.#path!;
  }

  /** The transaction that created the node: it grows with each place that is given out. */
  get token(): bigint {
    return this.#token;
  }

  /** The session that the node lives with. */
  get session(): bigint {
    return this.#session!;
  }

  get isLost(): boolean {
    return this.#ensemble.pastSessions.has(this.session);
  }

  /** Creates the node. When the answer is lost it looks for the node before it creates another. */
  async enter(): Promise<void> {
    await this.#untilAnswered(async (bounds) => {
      if (this.#path !== undefined || (this.#maybeThere && (await this.#find(bounds)))) return;
      try {
        await this.#create(bounds);
      } catch (error) {
        if (!(error instanceof NoNodeError)) throw error;
        // Sent right behind what it needs.
        await Promise.all([createDirectories(this.#ensemble, this.#queue, bounds), this.#createOrAgain(bounds)]);
      }
    });
    // The session ended in the moment of the answer.
    if (this.#session === undefined) throw new PlaceLost();
  }

  async isFirst(): Promise<boolean> {
    return (await this.#predecessor()) === undefined;
  }

  /** Waits until there is nobody before. Throws `PlaceLost`, and the signal's reason. */
  async waitForTurn(): Promise<void> {
    for (let before = await this.#predecessor(); before !== undefined; before = await this.#predecessor()) {
      await this.#gone(before);
    }
  }

  /** Deletes the node, if the server can be reached before the session ends. Never rejects. */
  async leave(): Promise<void> {
    if (this.#path === undefined && !this.#maybeThere) return;
    await untilDone(this.#ensemble, this.#session, async ({ deadline }) => {
      const bounds = this.#ensemble.bounds({ deadline });
      if (this.#path !== undefined || (await this.#find(bounds))) await this.#delete(this.path, bounds);
      await this.sweep(bounds);
    });
  }

  /** Deletes the queue if it is empty; the next contender makes it again. */
  async sweep(bounds: RequestOptions): Promise<void> {
    // In libkv's layout the queue is the key's own node, which others may have given a value at version 0.
    if (!this.#queue.endsWith(lockSuffix)) return pruneEmpty(this.#ensemble, [this.#queue], bounds);
    await this.#ensemble.client.delete(this.#queue, { ...bounds, version: 0 }).catch(() => {});
  }

  /** Creates the node, and reads the queue in the same breath. */
  async #create(bounds: RequestOptions): Promise<void> {
    const { client, acl } = this.#ensemble;
    const options = { ...bounds, mode: "ephemeralSequential", acl } as const;
    const created = client.create(childOf(this.#queue, this.#name), null, options);
    const children = client.getChildren(this.#queue, bounds).catch(() => undefined);
    try {
      const { path, zxid } = await created;
      this.#session = this.#ensemble.session?.id;
      this.#path = path;
      this.#token = zxid;
      this.#firstSeen = (await children)?.children;
    } catch (error) {
      this.#maybeThere ||= error instanceof ZooKeeperError && error.outcome === "unknown";
      throw error;
    }
  }

  /** The queue may be deleted again in this moment, by who left it empty. */
  async #createOrAgain(bounds: RequestOptions): Promise<void> {
    await this.#create(bounds).catch((error: unknown) => {
      throw error instanceof NoNodeError ? new Again() : error;
    });
  }

  async #delete(path: string, bounds: RequestOptions): Promise<void> {
    try {
      await this.#ensemble.client.delete(path, bounds);
    } catch (error) {
      if (!(error instanceof NoNodeError)) throw error;
    }
  }

  /** Looks for the node by its unique name. */
  async #find(bounds: RequestOptions): Promise<boolean> {
    await this.#ensemble.barrier(bounds);
    const names = (await this.#children(bounds)).filter((name) => name.startsWith(this.#name));
    const [first, ...others] = names.sort(byNumber).map((name) => childOf(this.#queue, name));
    for (const path of others) await this.#delete(path, bounds);
    if (first === undefined) return false;
    const { stat } = await this.#ensemble.client.exists(first, bounds);
    if (stat === undefined) return false;
    if (this.#ensemble.pastSessions.has(stat.ephemeralOwner)) {
      await this.#delete(first, bounds);
      return false;
    }
    this.#path = first;
    this.#token = stat.czxid;
    this.#session = stat.ephemeralOwner;
    return true;
  }

  /** The contender right before this one; undefined for the first. */
  async #predecessor(): Promise<string | undefined> {
    const children = this.#firstSeen ?? (await this.#untilAnswered((bounds) => this.#children(bounds)));
    this.#firstSeen = undefined;
    const contenders = children.filter((name) => contenderNumber(name) !== undefined).sort(byNumber);
    const own = contenders.indexOf(this.path.slice(this.#queue.length + 1));
    if (own === -1) throw new PlaceLost();
    return own === 0 ? undefined : childOf(this.#queue, contenders[own - 1]!);
  }

  async #children(bounds: RequestOptions): Promise<string[]> {
    try {
      return (await this.#ensemble.client.getChildren(this.#queue, bounds)).children;
    } catch (error) {
      if (error instanceof NoNodeError) return [];
      throw error;
    }
  }

  /** Waits until that node is deleted, the place is lost, or the signal fires. */
  async #gone(path: string): Promise<void> {
    const { client } = this.#ensemble;
    const signal = this.#signal;
    let stop = (): void => {};
    const happened = new Promise<void>((resolve, reject) => {
      const onEvent = (): void => resolve();
      const onAbort = (): void => reject(signal!.reason);
      const onLost = (): void => reject(new PlaceLost());
      const unsubscribe = this.#ensemble.onSessionLost(this.session, onLost);
      signal?.addEventListener("abort", onAbort, { once: true });
      if (signal?.aborted === true) onAbort();
      stop = () => {
        unsubscribe();
        signal?.removeEventListener("abort", onAbort);
        client.removeWatches(path, "data", onEvent).catch(() => {});
      };
      this.#untilAnswered((bounds) => client.exists(path, { ...bounds, watch: onEvent })).then(({ stat }) => {
        if (stat === undefined) resolve();
      }, reject);
    });
    try {
      await happened;
    } finally {
      stop();
    }
  }

  /** Asks until there is an answer, or the session is lost: for questions that may be asked twice. */
  async #untilAnswered<T>(ask: (bounds: RequestOptions) => Promise<T>): Promise<T> {
    const backoff = new Backoff({ initialMs: 20, maximumMs: 1_000 });
    for (;;) {
      if (this.#session !== undefined && this.isLost) throw new PlaceLost();
      this.#signal?.throwIfAborted();
      try {
        return await ask({ timeoutMs: questionMs });
      } catch (error) {
        if (error instanceof Again) continue;
        if (!isPassing(error)) throw error;
        await sleep(backoff.next(), { clock: this.#ensemble.clock });
      }
    }
  }
}

/** Something was in the way and is not any more. */
class Again extends Error {}

function byNumber(left: string, right: string): number {
  return contenderNumber(left)! - contenderNumber(right)!;
}

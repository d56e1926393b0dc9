import type { Lease, Request } from "../core/driver.js";
import type { StoreError } from "../core/errors.js";
import { BadVersionError, MultiError, type MultiOperation, NoNodeError, type RequestOptions } from "./client/index.js";
import type { Ensemble } from "./ensemble.js";
import { nowOrLater } from "./later.js";
import { deleteIfUnchanged } from "./lease.js";
import type { LockLayout } from "./lock-layout.js";
import { versionOf } from "./nodes.js";
import { pruneAbove } from "./prune.js";
import type { QueuePlace } from "./queue-place.js";

/** A lock that is held: the contender's node, and the value at the lock's key. */
export class HeldLock implements Lease {
  readonly ttlMs: number;
  readonly #ensemble: Ensemble;
  readonly #layout: LockLayout;
  readonly #key: string;
  readonly #place: QueuePlace;
  readonly #revision: bigint;

  constructor(ensemble: Ensemble, layout: LockLayout, key: string, place: QueuePlace, revision: bigint, ttlMs: number) {
    this.#ensemble = ensemble;
    this.#layout = layout;
    this.#key = key;
    this.#place = place;
    this.#revision = revision;
    this.ttlMs = ttlMs;
  }

  async renew(request: Request): Promise<"renewed" | "lost"> {
    const { client } = this.#ensemble;
    const { stat } = await this.#ensemble.reading(request, (bounds) => client.exists(this.#place.path, bounds));
    return stat?.czxid === this.#place.token ? "renewed" : "lost";
  }

  /** The contender's node must go, or it would hold the lock for as long as the session lives. */
  end(request: Request): Promise<void> {
    return nowOrLater(this.#ensemble, this.#place.session, request, (each) =>
      this.#ensemble.writing(each, (bounds) => this.#giveBack(bounds)),
    );
  }

  /** Lost with the session, and with the contender's node: an operator may delete that. */
  onLost(listener: (reason: StoreError | undefined) => void): () => void {
    const { client } = this.#ensemble;
    const { path, session, token } = this.#place;
    let over = false;
    const lose = (reason: StoreError | undefined): void => {
      if (!over) listener(reason);
    };
    const look = (): void => {
      if (over) return;
      // Where the server cannot be asked, the deadline of the session decides.
      client.exists(path, { watch: look }).then(
        ({ stat }) => {
          if (stat?.czxid !== token) lose(undefined);
        },
        () => {},
      );
    };
    const unsubscribe = this.#ensemble.onSessionLost(session, lose);
    look();
    return () => {
      over = true;
      unsubscribe();
      client.removeWatches(path, "data", look).catch(() => {});
    };
  }

  async #giveBack(bounds: RequestOptions): Promise<void> {
    const { client, paths } = this.#ensemble;
    const path = paths.of(this.#key);
    const version = versionOf(this.#revision);
    const own: MultiOperation = { type: "delete", path: this.#place.path };
    const value: MultiOperation =
      this.#layout === "libkv" ? { type: "setData", path, data: null, version } : { type: "delete", path, version };
    this.#ensemble.forget(this.#key);
    const given = client.multi([own, value], bounds).catch((error: unknown) => {
      if (!(error instanceof MultiError)) throw error;
      return error;
    });
    const swept = this.#layout === "libkv" ? undefined : this.#place.sweep(bounds);
    const [refusal] = await Promise.all([given, swept]);
    if (refusal instanceof MultiError) await this.#giveBackAlone(refusal, own, bounds);
    await pruneAbove(this.#ensemble, [path], bounds);
  }

  /** One of the two is not as it was left: the other goes all the same. */
  async #giveBackAlone(refusal: MultiError, own: MultiOperation, bounds: RequestOptions): Promise<void> {
    const { index, failure } = refusal;
    if (!(failure instanceof NoNodeError || failure instanceof BadVersionError)) throw refusal;
    if (index === 0) {
      const deadline = this.#ensemble.clock.now() + (bounds.timeoutMs ?? 0);
      return deleteIfUnchanged(this.#ensemble, this.#key, this.#revision, { deadline });
    }
    try {
      await this.#ensemble.client.multi([own], bounds);
    } catch (error) {
      if (!(error instanceof MultiError && error.failure instanceof NoNodeError)) throw error;
    }
    if (this.#layout !== "libkv") await this.#place.sweep(bounds);
  }
}

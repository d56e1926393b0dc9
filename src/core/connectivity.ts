import { Backoff } from "../util/backoff.js";
import type { Clock, Timer } from "../util/clock.js";
import { createDeferred, type Deferred } from "../util/deferred.js";
import { stateChannel } from "./diagnostics.js";
import { isStoreError, type StoreError } from "./errors.js";
import type { StateChange, StoreState } from "./store.js";

/** How long one question "are you there" may take, in milliseconds. */
const probeTimeoutMs = 2_000;
/** A connection that was lost again sooner than this after an answer was none, in milliseconds. */
const steadyAfterMs = 1_000;

/**
 * Whether the server can be reached. A request that found it unreachable suspends the store; from then on one `ping` at
 * a time asks, with growing pauses, until it is answered.
 */
export class Connectivity {
  readonly #clock: Clock;
  readonly #ping: (deadline: number) => Promise<void>;
  readonly #place: { backend: string; endpoint: string };
  readonly #listeners = new Set<(change: StateChange) => void>();
  readonly #gates = new Set<{ pause(): void; resume(): void }>();
  readonly #backoff = new Backoff({ initialMs: 20, maximumMs: 2_000 });
  #state: StoreState = "connected";
  #answeredAt = Number.NEGATIVE_INFINITY;
  #pause: Timer | undefined;
  #connected: Deferred<void> | undefined;

  constructor(clock: Clock, place: { backend: string; endpoint: string }, ping: (deadline: number) => Promise<void>) {
    this.#clock = clock;
    this.#place = place;
    this.#ping = ping;
  }

  get state(): StoreState {
    return this.#state;
  }

  /** A queue to hold back while suspended. */
  addGate(gate: { pause(): void; resume(): void }): void {
    this.#gates.add(gate);
  }

  /** Settles when calls may go out; at once while connected. Never rejects. */
  whenConnected(): Promise<void> | undefined {
    if (this.#state !== "suspended") return undefined;
    this.#connected ??= createDeferred();
    return this.#connected.promise;
  }

  onChange(listener: (change: StateChange) => void): () => void {
    const own = (change: StateChange): void => listener(change);
    this.#listeners.add(own);
    return () => this.#listeners.delete(own);
  }

  /** A request or the driver found that nothing answers. */
  suspend(reason: StoreError): void {
    if (this.#state !== "connected") return;
    for (const gate of this.#gates) gate.pause();
    this.#move("suspended", { reason });
    // A server may answer the question and yet no call: then the pauses go on growing, or calls and questions would loop.
    if (this.#clock.now() - this.#answeredAt < steadyAfterMs) return this.#probeLater();
    this.#backoff.reset();
    void this.#probe();
  }

  /** Tells that keys were lost or are there again, without a change of state. */
  reportKeys(keys: Partial<Pick<StateChange, "lostKeys" | "restoredKeys" | "reason">>): void {
    if (this.#state !== "closed")
      this.#tell({ state: this.#state, previous: this.#state, lostKeys: [], restoredKeys: [], ...keys });
  }

  close(reason: StoreError | undefined): void {
    if (this.#state === "closed") return;
    this.#pause?.cancel();
    this.#move("closed", { reason });
    this.#connected?.resolve();
    this.#listeners.clear();
  }

  async #probe(): Promise<void> {
    try {
      await this.#ping(this.#clock.now() + probeTimeoutMs);
    } catch (error) {
      if (!isStoreError(error) || error.code === "UNREACHABLE" || error.code === "TIMEOUT") return this.#probeLater();
      // Any other answer is an answer: the server is there, and will say the same to the calls themselves.
    }
    this.#resume();
  }

  #probeLater(): void {
    if (this.#state !== "suspended") return;
    this.#pause = this.#clock.after(this.#backoff.next(), () => void this.#probe());
  }

  #resume(): void {
    if (this.#state !== "suspended") return;
    this.#answeredAt = this.#clock.now();
    this.#move("connected", {});
    this.#connected?.resolve();
    this.#connected = undefined;
    for (const gate of this.#gates) gate.resume();
  }

  #move(state: StoreState, details: Pick<StateChange, "reason">): void {
    const previous = this.#state;
    this.#state = state;
    this.#tell({ state, previous, lostKeys: [], restoredKeys: [], ...details });
  }

  #tell(change: StateChange): void {
    if (stateChannel.hasSubscribers) stateChannel.publish({ ...change, ...this.#place });
    for (const listener of Array.from(this.#listeners)) {
      try {
        listener(change);
      } catch (error) {
        // A listener's fault is the program's, and must surface, but not inside the store's own work.
        queueMicrotask(() => {
          throw error;
        });
      }
    }
  }
}

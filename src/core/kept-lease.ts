import type { Clock, Timer } from "../util/clock.js";
import type { Lease } from "./driver.js";
import { StoreError } from "./errors.js";

/** How a kept lease comes to an end by itself. */
export interface KeptLeaseEvents {
  /** The server lets go of it, or will before we could know: by its word, or by the clock. Called once. */
  onLost(reason: StoreError): void;
  /** The key is another's now, so there is nothing to renew. Called once. */
  onEnded?(): void;
}

/**
 * Renews a lease at a third of its ttl, and knows by the local clock when it must be given up for lost. The deadline
 * counts from *sending* the last renewal that was acknowledged, and lies before the moment at which the server, which
 * counts from receiving it, could give the key to another.
 */
export class KeptLease {
  readonly lease: Lease;
  readonly #clock: Clock;
  readonly #events: KeptLeaseEvents;
  readonly #unsubscribe: (() => void) | undefined;
  #deadline: number;
  #renewal: Timer | undefined;
  #expiry: Timer | undefined;
  #over = false;

  /** `renewedAt`: when, by this clock, the request that last proved the lease was sent. */
  constructor(lease: Lease, renewedAt: number, clock: Clock, events: KeptLeaseEvents) {
    this.lease = lease;
    this.#clock = clock;
    this.#events = events;
    this.#deadline = renewedAt + lease.ttlMs - this.#marginMs;
    this.#unsubscribe = lease.onLost?.((cause) => this.#lose("the server ended the session or lease", cause));
    if (this.#over) return;
    this.#watchDeadline();
    this.#renewAfter(lease.ttlMs / 3 - (clock.now() - renewedAt));
  }

  /** Whether it is still ours at this moment, by the clock. */
  get held(): boolean {
    return !this.#over && this.#clock.now() < this.#deadline;
  }

  /** No more renewals and no more events. The lease itself is left as it is. */
  stop(): void {
    this.#over = true;
    this.#renewal?.cancel();
    this.#expiry?.cancel();
    this.#unsubscribe?.();
  }

  /** Leaves room for timers that fire late and clocks that run at slightly different speeds. */
  get #marginMs(): number {
    return Math.min(this.lease.ttlMs / 10, 500);
  }

  #watchDeadline(): void {
    this.#expiry?.cancel();
    this.#expiry = this.#clock.after(this.#deadline - this.#clock.now(), () => {
      if (this.#clock.now() < this.#deadline) this.#watchDeadline();
      else this.#lose("it could not be renewed in time");
    });
  }

  #renewAfter(delayMs: number): void {
    this.#renewal = this.#clock.after(Math.max(delayMs, 0), () => void this.#renew());
  }

  async #renew(): Promise<void> {
    const sentAt = this.#clock.now();
    const { ttlMs } = this.lease;
    try {
      const outcome = await this.lease.renew({ deadline: Math.min(this.#deadline, sentAt + ttlMs / 3) });
      if (this.#over) return;
      if (outcome === "lost") return this.#lose("the server has let go of it");
      if (outcome === "ended") return this.#end();
      this.#deadline = Math.max(this.#deadline, sentAt + ttlMs - this.#marginMs);
      this.#watchDeadline();
      this.#renewAfter(ttlMs / 3 - (this.#clock.now() - sentAt));
    } catch {
      // Not reached: ask again soon, several times before the deadline.
      if (!this.#over) this.#renewAfter(Math.min(ttlMs / 12, 1_000));
    }
  }

  #lose(reason: string, cause?: unknown): void {
    if (this.#over) return;
    this.stop();
    this.#events.onLost(new StoreError("LOCK_LOST", reason, { cause }));
  }

  #end(): void {
    this.stop();
    this.#events.onEnded?.();
  }
}

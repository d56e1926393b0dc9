import type { EtcdCallOptions, EtcdChannel } from "./channel.js";
import { EtcdError } from "./errors.js";
import { KeepAliveStream, type LeaseTerm } from "./keep-alive.js";
import * as methods from "./methods.js";

/** Leases. All calls reject with an `EtcdError`. */
export class EtcdLeases {
  readonly #channel: EtcdChannel;
  readonly #keepAlive: KeepAliveStream;

  constructor(channel: EtcdChannel) {
    this.#channel = channel;
    this.#keepAlive = new KeepAliveStream(channel);
  }

  /**
   * Grants a lease of at least `ttlMs` milliseconds, rounded up to whole seconds. After a lost answer the lease may
   * exist; nobody knows its id, and it runs out.
   */
  async grant(ttlMs: number, options?: EtcdCallOptions): Promise<LeaseTerm> {
    const sentAt = this.#channel.clock.now();
    const request = { TTL: BigInt(Math.ceil(ttlMs / 1_000)), ID: 0n };
    const answer = await this.#channel.unary(methods.leaseGrant, request, options);
    return { id: answer.ID, ttlMs: Number(answer.TTL) * 1_000, sentAt };
  }

  /** Ends a lease and deletes its keys. A lease that is not there any more is as good as revoked. */
  async revoke(id: bigint, options?: EtcdCallOptions): Promise<void> {
    try {
      await this.#channel.unary(methods.leaseRevoke, { ID: id }, options);
    } catch (error) {
      if (!(error instanceof EtcdError) || error.reason !== "lease-not-found") throw error;
    }
  }

  /**
   * Renews a lease once; when to do so is the caller's business. All renewals share one stream, and calls for a lease
   * that is being renewed share its answer. Rejects with reason `lease-not-found` as soon as the server says that the
   * lease is gone, and with `timeout` when no answer came in `timeoutMs`.
   */
  renew(id: bigint, options: EtcdCallOptions = {}): Promise<LeaseTerm> {
    return this.#keepAlive.renew(id, options.timeoutMs ?? this.#channel.timeoutMs, options.signal);
  }

  /** What is left of a lease and, with `keys`, the keys attached to it; `undefined` when there is no such lease. */
  async timeToLive(
    id: bigint,
    options?: EtcdCallOptions & { keys?: boolean | undefined },
  ): Promise<{ leftMs: number; grantedMs: number; keys: Uint8Array[] } | undefined> {
    const answer = await this.#channel.unary(
      methods.leaseTimeToLive,
      { ID: id, keys: options?.keys ?? false },
      options,
    );
    if (answer.TTL < 0n) return undefined;
    return { leftMs: Number(answer.TTL) * 1_000, grantedMs: Number(answer.grantedTTL) * 1_000, keys: answer.keys };
  }

  close(): void {
    this.#keepAlive.close();
  }
}

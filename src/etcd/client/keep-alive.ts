import type { Timer } from "../../util/clock.js";
import { createDeferred, type Deferred } from "../../util/deferred.js";
import type { EtcdChannel } from "./channel.js";
import { abortedError, closedError, EtcdError } from "./errors.js";
import { LeaseKeepAliveRequest, LeaseKeepAliveResponse } from "./generated/lease.js";
import { KeptStream } from "./kept-stream.js";
import { encodeMessage, leaseKeepAlivePath } from "./methods.js";

/** What the server promised: the lease lives for `ttlMs`, counted at the server from no earlier than `sentAt`. */
export interface LeaseTerm {
  readonly id: bigint;
  /** Milliseconds; always whole seconds, and possibly more than asked for. */
  readonly ttlMs: number;
  /** Monotonic time (the client's clock) just before the request that the server acknowledged was sent. */
  readonly sentAt: number;
}

/** The stream is closed when nothing was renewed for this long. In milliseconds. */
const idleMs = 60_000;

interface Renewal {
  readonly result: Deferred<LeaseTerm>;
  callers: number;
}

/**
 * The stream that all leases are renewed on. A request is sent once per stream: at most one for each lease is
 * unanswered however often renewal is asked for, so a slow server is not flooded, and whoever asked learns at its
 * deadline, so a frozen one is noticed. Requests without an answer are sent again when the stream is opened anew.
 */
export class KeepAliveStream {
  readonly #channel: EtcdChannel;
  readonly #stream: KeptStream;
  readonly #renewals = new Map<bigint, Renewal>();
  /**
   * When the requests still unanswered on this stream were sent, by lease, oldest first. An answer acknowledges the
   * oldest: counting it for a later one would promise more time than the server gives.
   */
  readonly #sentAt = new Map<bigint, number[]>();
  #idle: Timer | undefined;
  #closed = false;

  constructor(channel: EtcdChannel) {
    this.#channel = channel;
    this.#stream = new KeptStream(channel, leaseKeepAlivePath, {
      onOpen: () => this.#sendAll(),
      onMessage: (bytes) => this.#answered(LeaseKeepAliveResponse.decode(bytes)),
      onDown: () => this.#down(),
      onRefused: (error) => this.#failAll(error),
    });
  }

  renew(id: bigint, timeoutMs: number, signal: AbortSignal | undefined): Promise<LeaseTerm> {
    return new Promise((resolve, reject) => {
      if (this.#closed) return reject(closedError("not-applied"));
      if (signal?.aborted === true) return reject(abortedError(signal, "not-applied"));
      const askedAt = this.#channel.clock.now();
      const renewal = this.#join(id);
      const leave = (): void => {
        timer.cancel();
        signal?.removeEventListener("abort", onAbort);
        renewal.callers -= 1;
        if (renewal.callers === 0 && this.#renewals.get(id) === renewal) this.#renewals.delete(id);
      };
      const timer = this.#channel.clock.after(timeoutMs, () => {
        leave();
        const error = renewalTimeout(id, timeoutMs, this.#stream.open?.connection.endpoint.name);
        reject(error);
        this.#suspectMute(askedAt, error);
      });
      const onAbort = (): void => {
        leave();
        reject(abortedError(signal!, "unknown"));
      };
      signal?.addEventListener("abort", onAbort, { once: true });
      renewal.result.promise.then(
        (term) => {
          leave();
          resolve(term);
        },
        (error: unknown) => {
          leave();
          reject(error);
        },
      );
    });
  }

  close(): void {
    this.#closed = true;
    this.#idle?.cancel();
    this.#stream.stop();
    this.#failAll(closedError("unknown"));
  }

  #join(id: bigint): Renewal {
    let renewal = this.#renewals.get(id);
    if (renewal === undefined) {
      renewal = { result: createDeferred(), callers: 0 };
      this.#renewals.set(id, renewal);
      if (this.#stream.open === undefined) this.#stream.start();
      else this.#send(id);
    }
    renewal.callers += 1;
    return renewal;
  }

  #send(id: bigint): void {
    const unanswered = this.#sentAt.get(id);
    const now = this.#channel.clock.now();
    if (unanswered === undefined) this.#sentAt.set(id, [now]);
    else unanswered.push(now);
    this.#stream.send(encodeMessage(LeaseKeepAliveRequest, { ID: id }));
  }

  #sendAll(): void {
    this.#sentAt.clear();
    for (const id of this.#renewals.keys()) this.#send(id);
    this.#stopWhenIdle();
  }

  #answered({ ID: id, TTL }: LeaseKeepAliveResponse): void {
    const unanswered = this.#sentAt.get(id);
    const sentAt = unanswered?.shift();
    if (unanswered?.length === 0) this.#sentAt.delete(id);
    this.#stopWhenIdle();
    const renewal = this.#renewals.get(id);
    if (renewal === undefined || sentAt === undefined) return;
    this.#renewals.delete(id);
    if (TTL > 0n) renewal.result.resolve({ id, ttlMs: Number(TTL) * 1_000, sentAt });
    else renewal.result.reject(leaseGone(id, this.#stream.open?.connection.endpoint.name));
  }

  #down(): void {
    this.#sentAt.clear();
    if (this.#renewals.size === 0) this.#stream.stop();
  }

  #failAll(error: EtcdError): void {
    const renewals = [...this.#renewals.values()];
    this.#renewals.clear();
    for (const renewal of renewals) renewal.result.reject(error);
  }

  /** A stream that brought nothing since the request was made is as good as gone. */
  #suspectMute(askedAt: number, error: EtcdError): void {
    const open = this.#stream.open;
    if (open === undefined || this.#stream.heardAt >= askedAt) return;
    open.connection.suspectMute(askedAt);
    this.#stream.drop(error);
  }

  #stopWhenIdle(): void {
    this.#idle?.cancel();
    this.#idle = this.#channel.clock.after(
      idleMs,
      () => {
        if (this.#renewals.size === 0) this.#stream.stop();
        else this.#stopWhenIdle();
      },
      { keepAlive: false },
    );
  }
}

function leaseGone(id: bigint, endpoint: string | undefined): EtcdError {
  return new EtcdError({
    reason: "lease-not-found",
    status: "NOT_FOUND",
    etcdMessage: `lease ${id.toString(16)} has expired or was revoked`,
    endpoint,
    outcome: "not-applied",
  });
}

function renewalTimeout(id: bigint, timeoutMs: number, endpoint: string | undefined): EtcdError {
  return new EtcdError({
    reason: "timeout",
    status: "DEADLINE_EXCEEDED",
    etcdMessage: `lease ${id.toString(16)} was not renewed within ${timeoutMs} ms`,
    endpoint,
    outcome: "unknown",
  });
}

import type { Clock, Timer } from "../util/clock.js";
import { type Link, LinkedList } from "../util/linked-list.js";
import { timeout } from "./arguments.js";
import { type CallEvent, traceCall } from "./diagnostics.js";
import { StoreError, type StoreErrorDetails } from "./errors.js";
import type { Signals } from "./signals.js";
import type { CallOptions } from "./store.js";

/** What a call is, for its errors. */
export interface CallSubject {
  readonly operation: string;
  readonly key: string;
  readonly write: boolean;
}

/**
 * One call that is under way: a promise that settles exactly once, by its answer, its deadline, its signal or the end
 * of the store, whichever comes first.
 */
export class Call<T = unknown> {
  readonly subject: CallSubject;
  /** By the store's clock, in milliseconds; may be `Infinity`. */
  readonly deadline: number;
  readonly promise: Promise<T>;
  /** Whether a request of it may have reached the server; set by whoever sends. */
  sent = false;
  settled = false;
  /** How often it was sent, and with how many others the last time. */
  attempts = 0;
  batchSize = 1;
  /** Called when it is answered, before whoever waits for it goes on. */
  onAnswered: (() => void) | undefined;
  /** Called when it settles. */
  onSettled: (() => void) | undefined;
  #resolve!: (value: unknown) => void;
  #reject!: (reason: unknown) => void;
  readonly #underWay: LinkedList<Call>;
  #link: Link<Call> | undefined;

  /** It is one of those `underWay` until it settles. */
  constructor(subject: CallSubject, deadline: number, underWay: LinkedList<Call>) {
    this.subject = subject;
    this.deadline = deadline;
    this.#underWay = underWay;
    this.#link = underWay.add(this);
    this.promise = new Promise((resolve, reject) => {
      this.#resolve = resolve as (value: unknown) => void;
      this.#reject = reject;
    });
  }

  resolve(value: T): void {
    if (this.settled) return;
    const { onAnswered } = this;
    this.#settle();
    onAnswered?.();
    this.#resolve(value);
  }

  reject(reason: unknown): void {
    if (this.settled) return;
    this.#settle();
    this.#reject(reason);
  }

  #settle(): void {
    const { onSettled } = this;
    this.settled = true;
    this.#underWay.remove(this.#link!);
    // What is done lets go of what it knew: calls that lead to nothing cost the garbage collector far less.
    this.#link = undefined;
    this.onAnswered = undefined;
    this.onSettled = undefined;
    onSettled?.();
  }

  /** What an error of this call says about a write that gets no answer. */
  get outcome(): StoreErrorDetails["outcome"] {
    return this.subject.write ? (this.sent ? "unknown" : "not-applied") : undefined;
  }
}

/** The call's promise, traced: everybody who listens to `kvasir:call` hears of it. */
export function traceOf<T>(call: Call<T>, { backend, endpoint }: { backend: string; endpoint: string }): Promise<T> {
  const { operation, key } = call.subject;
  const event: CallEvent = { operation, backend, endpoint, key, attempt: 0, batchSize: 1 };
  return traceCall(event, () =>
    call.promise.finally(() => {
      event.attempt = call.attempts;
      event.batchSize = call.batchSize;
    }),
  );
}

/** All calls of a store that are under way: bounded in number, each with a deadline and perhaps a signal. */
export class Calls {
  readonly #clock: Clock;
  readonly #timeoutMs: number;
  readonly #maxPending: number;
  readonly #place: StoreErrorDetails;
  readonly #isSuspended: () => boolean;
  /** Those with the store's own timeout, oldest first: one timer serves them all. */
  readonly #inOrder = new LinkedList<Call>();
  /** Those with a timeout, and a timer, of their own. */
  readonly #others = new LinkedList<Call>();
  #timer: Timer | undefined;
  readonly #signals: Signals;
  #closed = false;

  constructor(options: {
    clock: Clock;
    timeoutMs: number;
    maxPending: number;
    place: StoreErrorDetails;
    isSuspended: () => boolean;
    signals: Signals;
  }) {
    this.#clock = options.clock;
    this.#timeoutMs = options.timeoutMs;
    this.#maxPending = options.maxPending;
    this.#place = options.place;
    this.#isSuspended = options.isSuspended;
    this.#signals = options.signals;
  }

  /** Whether every call is refused from now on. */
  get closed(): boolean {
    return this.#closed;
  }

  /** Throws what stands against any call now: bad options, an aborted signal, a closed store. */
  check(subject: CallSubject, options: CallOptions | undefined): void {
    if (this.#closed) throw this.#error("CLOSED", "the store is closed", subject, "not-applied");
    if (options === undefined) return;
    timeout(options.timeoutMs);
    options.signal?.throwIfAborted();
  }

  /** Admits a call. `timeoutMs` is what holds when the options name none. Throws as `check`, and `BUSY`. */
  begin<T>(subject: CallSubject, options: CallOptions | undefined, timeoutMs = this.#timeoutMs): Call<T> {
    this.check(subject, options);
    if (this.#inOrder.size + this.#others.size >= this.#maxPending) {
      const reason = `${this.#maxPending} calls are under way already (option maxPending)`;
      throw this.#error("BUSY", reason, subject, "not-applied");
    }
    const limitMs = options?.timeoutMs ?? timeoutMs;
    const inOrder = limitMs === this.#timeoutMs;
    const call = new Call<T>(subject, this.#clock.now() + limitMs, inOrder ? this.#inOrder : this.#others);
    if (inOrder) this.#timeOrder();
    const signal = options?.signal;
    if (!inOrder || signal !== undefined) this.#watchOver(call, inOrder ? undefined : limitMs, signal);
    return call;
  }

  /** What some calls have of their own, a time limit or a signal; by itself, so that the others need no closures. */
  #watchOver(call: Call, limitMs: number | undefined, signal: AbortSignal | undefined): void {
    const timer = limitMs === undefined ? undefined : this.#ownTimer(call, limitMs);
    const onAbort = (): void => this.#abort(call, signal!.reason);
    if (signal !== undefined) this.#signals.listen(signal, onAbort);
    call.onSettled = () => {
      timer?.cancel();
      if (signal !== undefined) this.#signals.unlisten(signal, onAbort);
    };
  }

  /** Rejects everything under way with `CLOSED`, and every later call. */
  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
    for (const call of [...this.#inOrder.toArray(), ...this.#others.toArray()]) {
      call.reject(this.#error("CLOSED", "the store was closed during the call", call.subject, call.outcome));
    }
  }

  #timeOrder(): void {
    this.#timer ??= this.#clock.after(this.#timeoutMs, () => this.#expireInOrder(), { keepAlive: false });
  }

  #expireInOrder(): void {
    this.#timer = undefined;
    for (let call = this.#inOrder.first; call !== undefined; call = this.#inOrder.first) {
      const leftMs = call.deadline - this.#clock.now();
      if (leftMs > 0) {
        this.#timer = this.#clock.after(leftMs, () => this.#expireInOrder(), { keepAlive: false });
        return;
      }
      this.#expire(call);
    }
  }

  #ownTimer(call: Call, limitMs: number): Timer {
    if (limitMs === Number.POSITIVE_INFINITY) return { cancel: () => {} };
    return this.#clock.after(limitMs, () => this.#expire(call), { keepAlive: false });
  }

  #expire(call: Call): void {
    const { subject, outcome } = call;
    call.reject(
      this.#isSuspended()
        ? this.#error(
            "UNREACHABLE",
            `no connection for the whole timeout of the ${subject.operation}`,
            subject,
            outcome,
          )
        : this.#error("TIMEOUT", `the ${subject.operation} was not answered in time`, subject, outcome),
    );
  }

  #abort(call: Call, reason: unknown): void {
    if (!call.subject.write || !call.sent) return call.reject(reason);
    const why = `the ${call.subject.operation} was aborted after it was sent`;
    call.reject(this.#error("ABORTED", why, call.subject, "unknown", reason));
  }

  #error(
    code: "CLOSED" | "BUSY" | "TIMEOUT" | "UNREACHABLE" | "ABORTED",
    reason: string,
    subject: CallSubject,
    outcome: StoreErrorDetails["outcome"],
    cause?: unknown,
  ): StoreError {
    const key = subject.key === "" ? undefined : subject.key;
    return new StoreError(code, reason, { ...this.#place, key, cause, outcome: subject.write ? outcome : undefined });
  }
}

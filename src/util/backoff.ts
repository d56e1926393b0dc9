/** How long to wait between tries. All times in milliseconds. */
export interface BackoffOptions {
  /** The longest first pause. Default 50. */
  initialMs?: number | undefined;
  /** No pause is longer. Default 5,000. */
  maximumMs?: number | undefined;
  /** How much longer each pause may be than the one before. Default 2. */
  factor?: number | undefined;
  /** A number from 0 up to 1, random by default. */
  random?: (() => number) | undefined;
}

/**
 * Exponential backoff with jitter: each pause lies between half its bound and its bound, so that many clients of one
 * dead server neither come back together nor loop without a pause.
 */
export class Backoff {
  readonly #initialMs: number;
  readonly #maximumMs: number;
  readonly #factor: number;
  readonly #random: () => number;
  #boundMs: number;

  constructor(options: BackoffOptions = {}) {
    this.#initialMs = options.initialMs ?? 50;
    this.#maximumMs = options.maximumMs ?? 5_000;
    this.#factor = options.factor ?? 2;
    this.#random = options.random ?? Math.random;
    this.#boundMs = this.#initialMs;
  }

  /** The next pause in milliseconds. */
  next(): number {
    const boundMs = this.#boundMs;
    this.#boundMs = Math.min(boundMs * this.#factor, this.#maximumMs);
    return boundMs / 2 + (boundMs / 2) * this.#random();
  }

  /** Start again with the shortest pause: call it when something succeeded. */
  reset(): void {
    this.#boundMs = this.#initialMs;
  }
}

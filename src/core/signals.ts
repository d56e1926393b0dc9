/**
 * One listener per `AbortSignal`, however many calls and watches of a store share it: a signal that lives as long as
 * the program neither warns of too many listeners nor collects them.
 */
export class Signals {
  readonly #bySignal = new Map<AbortSignal, { readonly callbacks: Set<() => void>; readonly listener: () => void }>();

  /** Calls back once when the signal aborts; `callback` is the handle for `unlisten`. */
  listen(signal: AbortSignal, callback: () => void): void {
    const known = this.#bySignal.get(signal);
    if (known !== undefined) {
      known.callbacks.add(callback);
      return;
    }
    const callbacks = new Set([callback]);
    const listener = (): void => {
      this.#bySignal.delete(signal);
      for (const each of callbacks) each();
    };
    this.#bySignal.set(signal, { callbacks, listener });
    signal.addEventListener("abort", listener, { once: true });
  }

  /** Takes a callback back; the last one takes the listener off the signal. */
  unlisten(signal: AbortSignal, callback: () => void): void {
    const known = this.#bySignal.get(signal);
    if (known === undefined || !known.callbacks.delete(callback) || known.callbacks.size > 0) return;
    this.#bySignal.delete(signal);
    signal.removeEventListener("abort", known.listener);
  }
}

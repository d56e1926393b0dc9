/** Calls a caller's function; what it throws becomes a warning of the process, and never reaches the socket handlers. */
export function callSafely<T>(listener: (value: T) => void, value: T): void {
  try {
    listener(value);
  } catch (error) {
    process.emitWarning(error instanceof Error ? error : new Error(String(error)));
  }
}

/** Functions to call when something happens. Every listener sees the same values in the same order. */
export class Listeners<T> {
  readonly #listeners = new Set<(value: T) => void>();
  readonly #waiting: T[] = [];
  #calling = false;

  /** Adds one; the function returned takes it away again. */
  add(listener: (value: T) => void): () => void {
    // Wrapped, so that the same function added twice is two listeners.
    const entry = (value: T): void => listener(value);
    this.#listeners.add(entry);
    return () => {
      this.#listeners.delete(entry);
    };
  }

  /** Tells all of them; when a listener causes the next value, that one waits until all have seen this one. */
  call(value: T): void {
    this.#waiting.push(value);
    if (this.#calling) return;
    this.#calling = true;
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
      for (const listener of Array.from(this.#listeners)) callSafely(listener, next);
    }
    this.#calling = false;
  }
}

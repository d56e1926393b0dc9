import type { NamespaceLife } from "./namespace-life.js";

/** What an iteration over a watch or a scan needs of its namespace. */
export interface NamespacedIteration<Inner, Outer> {
  readonly life: NamespaceLife;
  readonly open: () => AsyncIterator<Inner>;
  readonly map: (item: Inner) => Outer;
  /** What closing the namespace does to the loop: ends it, as for watches, or makes it throw `CLOSED`. */
  readonly onClose: "end" | "CLOSED";
}

/**
 * One iteration over a watch or scan of the store below, each item mapped. Hand-built like the watch's own iterator, so
 * that `return()` and the namespace's `close()` settle at once.
 */
export class NamespacedIterator<Inner, Outer> implements AsyncIterator<Outer, undefined> {
  readonly #parts: NamespacedIteration<Inner, Outer>;
  #iterator: AsyncIterator<Inner> | undefined;
  #forget: (() => void) | undefined;
  #over = false;

  constructor(parts: NamespacedIteration<Inner, Outer>) {
    this.#parts = parts;
  }

  async next(): Promise<IteratorResult<Outer, undefined>> {
    if (this.#over) return { done: true, value: undefined };
    try {
      this.#begin();
      const result = await this.#iterator!.next();
      if (result.done !== true) return { done: false, value: this.#parts.map(result.value) };
      this.#finish();
    } catch (error) {
      this.#finish();
      throw this.#parts.life.rename(error);
    }
    if (this.#parts.life.closed && this.#parts.onClose === "CLOSED") throw this.#parts.life.closedError();
    return { done: true, value: undefined };
  }

  return(): Promise<IteratorResult<Outer, undefined>> {
    this.#end();
    return Promise.resolve({ done: true, value: undefined });
  }

  #begin(): void {
    if (this.#iterator !== undefined) return;
    this.#parts.life.check();
    this.#iterator = this.#parts.open();
    this.#forget = this.#parts.life.onClose(() => void this.#iterator?.return?.());
  }

  #end(): void {
    if (this.#over) return;
    this.#finish();
    void this.#iterator?.return?.();
  }

  #finish(): void {
    this.#over = true;
    this.#forget?.();
  }
}

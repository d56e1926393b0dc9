/**
 * One iteration over a watch or scan of the store below, each item mapped. Hand-built like the watch's own iterator, so
 * that `return()` and the namespace's `close()` settle at once.
 */
export class NamespacedIterable<Inner, Outer> implements AsyncIterator<Outer, undefined> {
  readonly #open: () => AsyncIterator<Inner>;
  readonly #map: (item: Inner) => Outer;
  readonly #rename: (error: unknown) => unknown;
  readonly #onOver: () => void;
  #iterator: AsyncIterator<Inner> | undefined;
  #over = false;

  constructor(
    open: () => AsyncIterator<Inner>,
    map: (item: Inner) => Outer,
    rename: (error: unknown) => unknown,
    onOver: () => void,
  ) {
    this.#open = open;
    this.#map = map;
    this.#rename = rename;
    this.#onOver = onOver;
  }

  async next(): Promise<IteratorResult<Outer, undefined>> {
    if (this.#over) return { done: true, value: undefined };
    try {
      this.#iterator ??= this.#open();
      const result = await this.#iterator.next();
      if (result.done === true) {
        this.#finish();
        return { done: true, value: undefined };
      }
      return { done: false, value: this.#map(result.value) };
    } catch (error) {
      this.#finish();
      throw this.#rename(error);
    }
  }

  return(): Promise<IteratorResult<Outer, undefined>> {
    this.end();
    return Promise.resolve({ done: true, value: undefined });
  }

  /** Ends the loop: a pending `next()` too, where the iterator below can do that. */
  end(): void {
    if (this.#over) return;
    this.#finish();
    void this.#iterator?.return?.();
  }

  #finish(): void {
    this.#over = true;
    this.#onOver();
  }
}

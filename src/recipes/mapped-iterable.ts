/** What a mapping makes of an item: another one, or nothing. */
export type Mapped<Outer> = { readonly item: Outer } | undefined;

/**
 * An async iterable whose items are made from another's. Written by hand, as the store's own watches are: an async
 * generator's `return()` would wait for a pending `next()`, and with it for a change that may never come.
 */
export function mapIterable<Inner, Outer>(
  inner: AsyncIterable<Inner>,
  /** Called anew for each loop, so that each has a state of its own. */
  createMap: () => (item: Inner) => Mapped<Outer> | Promise<Mapped<Outer>>,
): AsyncIterable<Outer> {
  return { [Symbol.asyncIterator]: () => new MappedIterator(inner[Symbol.asyncIterator](), createMap()) };
}

class MappedIterator<Inner, Outer> implements AsyncIterator<Outer, undefined> {
  readonly #inner: AsyncIterator<Inner>;
  readonly #map: (item: Inner) => Mapped<Outer> | Promise<Mapped<Outer>>;
  /** Items are mapped one after the other, also when several are asked for at once. */
  #last: Promise<unknown> = Promise.resolve();
  #over = false;

  constructor(inner: AsyncIterator<Inner>, map: (item: Inner) => Mapped<Outer> | Promise<Mapped<Outer>>) {
    this.#inner = inner;
    this.#map = map;
  }

  next(): Promise<IteratorResult<Outer, undefined>> {
    const next = this.#last.then(() => this.#advance());
    this.#last = next.catch(() => undefined);
    return next;
  }

  async return(): Promise<IteratorResult<Outer, undefined>> {
    this.#over = true;
    await this.#inner.return?.();
    return { done: true, value: undefined };
  }

  async #advance(): Promise<IteratorResult<Outer, undefined>> {
    while (!this.#over) {
      const result = await this.#inner.next();
      if (result.done === true) break;
      try {
        const mapped = await this.#map(result.value);
        if (mapped !== undefined && !this.#over) return { done: false, value: mapped.item };
      } catch (error) {
        await this.return();
        throw error;
      }
    }
    this.#over = true;
    return { done: true, value: undefined };
  }
}

/** Functions that want to be told. One that throws does not keep the others from being told. */
export class Listeners<Event> {
  readonly #listeners = new Set<{ readonly tell: (event: Event) => void }>();

  /** Adds one; gives a function that removes it. */
  add(tell: (event: Event) => void): () => void {
    const own = { tell };
    this.#listeners.add(own);
    return () => this.#listeners.delete(own);
  }

  tell(event: Event): void {
    for (const { tell } of Array.from(this.#listeners)) {
      try {
        tell(event);
      } catch (error) {
        // A listener's fault is the program's, and must surface, but not inside the recipe's own work.
        queueMicrotask(() => {
          throw error;
        });
      }
    }
  }
}

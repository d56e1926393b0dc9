/** How many keys are remembered. */
const capacity = 20_000;

/**
 * Keys that were there, without a ttl, when this store last wrote them: a put of one is a plain set. It is only a guess,
 * which others may have made wrong.
 */
export class RecentKeys {
  readonly #keys = new Set<string>();

  has(key: string): boolean {
    return this.#keys.has(key);
  }

  add(key: string): void {
    if (this.#keys.size >= capacity && !this.#keys.has(key)) {
      for (const oldest of this.#keys) {
        this.#keys.delete(oldest);
        break;
      }
    }
    this.#keys.add(key);
  }

  delete(key: string): void {
    this.#keys.delete(key);
  }
}

/** Something that a signal can end. */
interface Abortable {
  abort(): void;
}

interface Link {
  readonly waiting: Set<Abortable>;
  readonly listener: () => void;
}

/**
 * Which requests wait under which signal: one listener per signal however many requests, removed with the last of them,
 * so that a long-lived signal neither collects listeners nor warns about their number.
 */
export class AbortLinks {
  readonly #links = new Map<AbortSignal, Link>();

  add(signal: AbortSignal, request: Abortable): void {
    const link = this.#links.get(signal) ?? this.#open(signal);
    link.waiting.add(request);
  }

  remove(signal: AbortSignal, request: Abortable): void {
    const link = this.#links.get(signal);
    if (link === undefined) return;
    link.waiting.delete(request);
    if (link.waiting.size > 0) return;
    signal.removeEventListener("abort", link.listener);
    this.#links.delete(signal);
  }

  #open(signal: AbortSignal): Link {
    const waiting = new Set<Abortable>();
    const listener = (): void => {
      for (const request of waiting) request.abort();
    };
    const link = { waiting, listener };
    this.#links.set(signal, link);
    signal.addEventListener("abort", listener);
    return link;
  }
}

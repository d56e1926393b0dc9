import type { Event } from "./client/index.js";

/** How many events are held as they came before those that were overtaken are dropped. */
const roomForAll = 10_000;

/**
 * Events that came while a state was being read. They are few, as a rule; where they are not, only the last of each key
 * is kept, so that they take no more memory than the state itself.
 */
export class HeldEvents {
  #events: Event[] = [];
  #room = roomForAll;

  add(events: readonly Event[]): void {
    for (const event of events) this.#events.push(event);
    if (this.#events.length <= this.#room) return;
    const last = new Map<string, Event>();
    for (const event of this.#events) {
      const key = Buffer.from(event.kv?.key ?? []).toString("latin1");
      // Taken out first, so that it stands where the key's last event came.
      last.delete(key);
      last.set(key, event);
    }
    this.#events = [...last.values()];
    this.#room = Math.max(roomForAll, 2 * this.#events.length);
  }

  /** Gives all of them, and holds none any more. */
  take(): Event[] {
    const events = this.#events;
    this.#events = [];
    this.#room = roomForAll;
    return events;
  }
}

import { invalid } from "../core/arguments.js";
import { compareKeys } from "../core/keys.js";
import type { Clock } from "../util/clock.js";
import type { Instance, PickStrategy, ServiceChange } from "./discovery.js";

/** Picks among the instances of one service. */
export class Picker {
  readonly #clock: Clock;
  readonly #failureMemoryMs: number;
  /** When an incarnation last failed, by the clock. */
  readonly #failedAt = new Map<string, number>();
  #instances: readonly Instance[] = [];
  /** The id that was picked last in turn. */
  #last = "";

  constructor(clock: Clock, failureMemoryMs: number) {
    this.#clock = clock;
    this.#failureMemoryMs = failureMemoryMs;
  }

  take({ instances }: ServiceChange): void {
    this.#instances = instances;
    const there = new Set(instances.map(nameOf));
    for (const name of this.#failedAt.keys()) if (!there.has(name)) this.#failedAt.delete(name);
  }

  pick(strategy: PickStrategy): Instance | undefined {
    switch (strategy) {
      case "round-robin":
        return this.#next(this.#instances);
      case "random":
        return this.#instances[Math.floor(Math.random() * this.#instances.length)];
      case "least-recently-failed":
        return this.#leastRecentlyFailed();
      default:
        throw invalid(`a strategy is round-robin, random or least-recently-failed, not ${JSON.stringify(strategy)}`);
    }
  }

  reportFailure(instance: Instance): void {
    if (this.#instances.some((each) => nameOf(each) === nameOf(instance))) {
      this.#failedAt.set(nameOf(instance), this.#clock.now());
    }
  }

  /** The one after the one before, by id: those who come and go between two picks move nobody else's turn. */
  #next(instances: readonly Instance[]): Instance | undefined {
    const next = instances.find(({ id }) => compareKeys(id, this.#last) > 0) ?? instances[0];
    if (next !== undefined) this.#last = next.id;
    return next;
  }

  #leastRecentlyFailed(): Instance | undefined {
    const forgotten = this.#clock.now() - this.#failureMemoryMs;
    const failedAt = (instance: Instance): number => {
      const at = this.#failedAt.get(nameOf(instance));
      return at === undefined || at <= forgotten ? Number.NEGATIVE_INFINITY : at;
    };
    const earliest = Math.min(...this.#instances.map(failedAt));
    return this.#next(this.#instances.filter((instance) => failedAt(instance) === earliest));
  }
}

/** A failure belongs to an incarnation: after a restart an instance is a new one. */
function nameOf({ id, incarnation }: Instance): string {
  return `${id}/${incarnation}`;
}

import { equalBytes } from "../util/bytes.js";
import type { Driver, Upstream, UpstreamChange, WatchScope, WatchSink } from "./driver.js";
import type { StoreError } from "./errors.js";
import type { KVPair } from "./pair.js";

/** One key's step from a state to the next; `undefined` is absent. */
export interface Step {
  readonly key: string;
  readonly before: KVPair | undefined;
  readonly after: KVPair | undefined;
}

/** Somebody who follows a shared watch. */
export interface Follower {
  /** The state is complete and current: the follower's first item. Steps follow. */
  begin(state: ReadonlyMap<string, KVPair>): void;
  /** What happened at once comes at once. */
  steps(steps: readonly Step[]): void;
  fail(error: StoreError): void;
}

/** What happens to a shared watch, for diagnostics. */
export type SharedWatchEvent = "started" | "snapshot" | "changes" | "failed" | "ended";

/**
 * One upstream watch for all who watch the same key or tree. It holds the scope's current state, turns what the driver
 * reports into steps (a re-list into the difference, what was seen already into nothing), and lets those who come
 * later begin with a state at least as new as their coming.
 */
export class SharedWatch implements WatchSink {
  readonly #driver: Driver;
  readonly #scope: WatchScope;
  readonly #onEvent: (event: SharedWatchEvent, watchers: number) => void;
  readonly #state = new Map<string, KVPair>();
  readonly #followers = new Set<Follower>();
  /** Came before the snapshot now on its way was asked for, so it will do for them. */
  #joining = new Set<Follower>();
  /** Came after it was asked for: they need another. */
  #late = new Set<Follower>();
  #upstream: Upstream | undefined;
  #asked = false;
  #over = false;

  constructor(driver: Driver, scope: WatchScope, onEvent: (event: SharedWatchEvent, watchers: number) => void) {
    this.#driver = driver;
    this.#scope = scope;
    this.#onEvent = onEvent;
  }

  get watchers(): number {
    return this.#followers.size + this.#joining.size + this.#late.size;
  }

  follow(follower: Follower): void {
    if (this.#upstream === undefined && !this.#asked) {
      this.#joining.add(follower);
      this.#asked = true;
      this.#onEvent("started", this.watchers);
      this.#upstream = this.#driver.watch(this.#scope, this);
      if (this.#over) this.#upstream.close();
    } else if (this.#asked) {
      this.#late.add(follower);
    } else {
      this.#joining.add(follower);
      this.#ask();
    }
  }

  /** The last to leave ends the upstream watch; tells whether that was so. */
  leave(follower: Follower): boolean {
    this.#followers.delete(follower);
    this.#joining.delete(follower);
    this.#late.delete(follower);
    if (this.watchers > 0) return false;
    if (!this.#over) this.#onEvent("ended", 0);
    this.#close();
    return true;
  }

  snapshot(pairs: readonly KVPair[]): void {
    if (this.#over) return;
    this.#tell(this.#difference(pairs).map((step) => this.#apply(step)));
    this.#onEvent("snapshot", this.watchers);
    this.#asked = false;
    const begin = this.#joining;
    this.#joining = this.#late;
    this.#late = new Set();
    for (const follower of begin) {
      this.#followers.add(follower);
      follower.begin(this.#state);
    }
    if (this.#joining.size > 0 && this.#upstream !== undefined) this.#ask();
  }

  changes(changes: readonly UpstreamChange[]): void {
    if (this.#over) return;
    const steps: Step[] = [];
    for (const change of changes) {
      const step = this.#stepOf(change);
      if (step !== undefined) steps.push(this.#apply(step));
    }
    this.#tell(steps);
    this.#onEvent("changes", this.watchers);
  }

  fail(error: StoreError): void {
    const everyone = [...this.#followers, ...this.#joining, ...this.#late];
    this.#followers.clear();
    this.#joining.clear();
    this.#late.clear();
    this.#close();
    this.#onEvent("failed", everyone.length);
    for (const follower of everyone) follower.fail(error);
  }

  #close(): void {
    if (this.#over) return;
    this.#over = true;
    this.#upstream?.close();
  }

  #ask(): void {
    this.#asked = true;
    this.#upstream?.refresh();
  }

  #difference(pairs: readonly KVPair[]): Step[] {
    const steps: Step[] = [];
    const there = new Set<string>();
    for (const pair of pairs) {
      there.add(pair.key);
      const before = this.#state.get(pair.key);
      const same = before?.revision === pair.revision && equalBytes(before.value, pair.value);
      if (!same) steps.push({ key: pair.key, before, after: pair });
    }
    for (const [key, before] of this.#state) if (!there.has(key)) steps.push({ key, before, after: undefined });
    return steps;
  }

  #stepOf(change: UpstreamChange): Step | undefined {
    if (change.type === "put") {
      const { pair } = change;
      const before = this.#state.get(pair.key);
      if (before !== undefined && pair.revision <= before.revision) return undefined;
      return { key: pair.key, before, after: pair };
    }
    const before = this.#state.get(change.key);
    if (before === undefined) return undefined;
    if (change.revision !== undefined && change.revision < before.revision) return undefined;
    return { key: change.key, before, after: undefined };
  }

  #apply(step: Step): Step {
    if (step.after === undefined) this.#state.delete(step.key);
    else this.#state.set(step.key, step.after);
    return step;
  }

  #tell(steps: readonly Step[]): void {
    if (steps.length === 0) return;
    for (const follower of this.#followers) follower.steps(steps);
  }
}

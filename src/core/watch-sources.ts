import { invalid } from "./arguments.js";
import type { StoreError } from "./errors.js";
import { compareKeys } from "./keys.js";
import type { KVPair } from "./pair.js";
import type { Follower, SharedWatch, Step } from "./shared-watch.js";
import type { Change, TreeChange } from "./store.js";
import type { WatchIterator, WatchSource } from "./watch-iterator.js";

/** Finds or makes the shared watch of a scope, and drops it when its last follower has left. */
export interface WatchRegistry {
  join(follower: Follower): SharedWatch;
  leave(follower: Follower, shared: SharedWatch | undefined): void;
}

/** So many steps wait for a slow consumer as they came; beyond, only the last of each key is kept. */
const stepsKept = 256;

/** Steps that wait for their consumer: all of them while it keeps up, otherwise bounded by the number of keys. */
class PendingSteps {
  #steps: Step[] = [];
  #limit = stepsKept;

  get size(): number {
    return this.#steps.length;
  }

  push(step: Step): void {
    this.#steps.push(step);
    if (this.#steps.length > this.#limit) this.#conflate();
  }

  /** All of them, or the first `count`. */
  take(count = this.#steps.length): Step[] {
    const taken = this.#steps.splice(0, count);
    if (this.#steps.length === 0) this.#limit = stepsKept;
    return taken;
  }

  /** What each key was before the first waiting step. */
  before(): Map<string, KVPair | undefined> {
    const before = new Map<string, KVPair | undefined>();
    for (const step of this.#steps) if (!before.has(step.key)) before.set(step.key, step.before);
    return before;
  }

  #conflate(): void {
    const before = this.before();
    const after = new Map<string, KVPair | undefined>();
    for (const step of this.#steps) {
      after.delete(step.key);
      after.set(step.key, step.after);
    }
    this.#steps = [];
    for (const [key, pair] of after) {
      const first = before.get(key);
      if (first !== pair) this.#steps.push({ key, before: first, after: pair });
    }
    this.#limit = Math.max(stepsKept, this.#steps.length * 2);
  }
}

abstract class Source<Item> implements WatchSource<Item>, Follower {
  protected readonly pending = new PendingSteps();
  protected state: ReadonlyMap<string, KVPair> | undefined;
  readonly #iterator: WatchIterator<Item>;
  readonly #registry: WatchRegistry;
  #shared: SharedWatch | undefined;

  constructor(iterator: WatchIterator<Item>, registry: WatchRegistry) {
    this.#iterator = iterator;
    this.#registry = registry;
  }

  abstract take(): { readonly item: Item } | undefined;

  start(): void {
    this.#shared = this.#registry.join(this);
  }

  stop(): void {
    this.#registry.leave(this, this.#shared);
    this.state = undefined;
    this.pending.take();
  }

  begin(state: ReadonlyMap<string, KVPair>): void {
    this.state = state;
    this.#iterator.wake();
  }

  steps(steps: readonly Step[]): void {
    for (const step of steps) this.pending.push(step);
    this.#iterator.wake();
  }

  fail(error: StoreError): void {
    this.#iterator.fail(error);
  }
}

/** The states of one key, one after the other. */
export class KeySource extends Source<KVPair | undefined> {
  #begun = false;

  take(): { readonly item: KVPair | undefined } | undefined {
    if (this.state === undefined) return undefined;
    if (!this.#begun) {
      this.#begun = true;
      const [first] = this.pending.before().values();
      const [current] = this.state.values();
      return { item: (this.pending.size > 0 ? first : current)?.copy() };
    }
    const [step] = this.pending.take(1);
    return step === undefined ? undefined : { item: step.after?.copy() };
  }
}

/** The states of a tree: each item has everything that waited. */
export class TreeSource extends Source<TreeChange> {
  #begun = false;
  /** The item that was handed out last, while nobody has read its pairs. */
  #unread: object | undefined;

  take(): { readonly item: TreeChange } | undefined {
    if (this.state === undefined) return undefined;
    if (this.#begun && this.pending.size === 0) return undefined;
    const steps = this.#begun ? this.pending.take() : this.#firstSteps();
    this.#begun = true;
    return { item: this.#item(steps) };
  }

  /** The last item stays readable: the state it shows is kept, apart from the shared one. */
  override stop(): void {
    const kept = this.#unread === undefined ? undefined : this.#tree();
    super.stop();
    this.state = kept;
  }

  #firstSteps(): Step[] {
    return this.#sorted().map((after) => ({ key: after.key, before: undefined, after }));
  }

  /** The tree as it was before the steps that wait: the state with those taken back. */
  #tree(): Map<string, KVPair> {
    const tree = new Map(this.state);
    for (const [key, pair] of this.pending.before()) {
      if (pair === undefined) tree.delete(key);
      else tree.set(key, pair);
    }
    return tree;
  }

  #sorted(): KVPair[] {
    return [...this.#tree().values()].sort((left, right) => compareKeys(left.key, right.key));
  }

  #item(steps: readonly Step[]): TreeChange {
    const token = {};
    this.#unread = token;
    let pairs: readonly KVPair[] | undefined;
    const read = (): readonly KVPair[] => {
      if (this.#unread !== token) throw invalid("pairs is read before the watch's next item is asked for");
      this.#unread = undefined;
      return this.#sorted().map((pair) => pair.copy());
    };
    return {
      changes: steps.map(changeOf),
      get pairs() {
        pairs ??= read();
        return pairs;
      },
    };
  }
}

function changeOf({ key, before, after }: Step): Change {
  const previous = before?.copy();
  return after === undefined ? { type: "delete", key, previous } : { type: "put", key, pair: after.copy(), previous };
}

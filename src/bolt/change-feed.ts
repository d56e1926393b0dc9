import type { UpstreamChange, WatchScope, WatchSink } from "../core/driver.js";

/** Who watches what in a bucket, in this process; told of every change in the order of the commits. */
export class ChangeFeed {
  readonly #byKey = new Map<string, Set<WatchSink>>();
  readonly #byDirectory = new Map<string, Set<WatchSink>>();
  readonly #scopes = new Map<WatchSink, WatchScope>();

  get size(): number {
    return this.#scopes.size;
  }

  add(scope: WatchScope, sink: WatchSink): void {
    const index = this.#index(scope);
    const sinks = index.get(scope.path) ?? new Set();
    sinks.add(sink);
    index.set(scope.path, sinks);
    this.#scopes.set(sink, scope);
  }

  remove(sink: WatchSink): void {
    const scope = this.#scopes.get(sink);
    if (scope === undefined) return;
    this.#scopes.delete(sink);
    const index = this.#index(scope);
    const sinks = index.get(scope.path);
    sinks?.delete(sink);
    if (sinks?.size === 0) index.delete(scope.path);
  }

  has(sink: WatchSink): boolean {
    return this.#scopes.has(sink);
  }

  /** All watches, for a new snapshot after another process wrote. */
  entries(): [WatchSink, WatchScope][] {
    return [...this.#scopes];
  }

  publish(changes: readonly UpstreamChange[]): void {
    if (this.#scopes.size === 0) return;
    const bySink = new Map<WatchSink, UpstreamChange[]>();
    for (const each of changes) {
      // The pair also goes to whoever put it, and is theirs to change.
      const change: UpstreamChange = each.type === "put" ? { type: "put", pair: each.pair.copy() } : each;
      for (const sink of this.#sinksOf(change.type === "put" ? change.pair.key : change.key)) {
        const own = bySink.get(sink);
        if (own === undefined) bySink.set(sink, [change]);
        else own.push(change);
      }
    }
    for (const [sink, own] of bySink) sink.changes(own);
  }

  /** The watches of the key and of each directory above it. */
  *#sinksOf(key: string): Iterable<WatchSink> {
    yield* this.#byKey.get(key) ?? [];
    if (this.#byDirectory.size === 0) return;
    yield* this.#byDirectory.get("") ?? [];
    for (let at = key.indexOf("/"); at !== -1; at = key.indexOf("/", at + 1)) {
      yield* this.#byDirectory.get(key.slice(0, at)) ?? [];
    }
  }

  #index(scope: WatchScope): Map<string, Set<WatchSink>> {
    return scope.type === "key" ? this.#byKey : this.#byDirectory;
  }
}

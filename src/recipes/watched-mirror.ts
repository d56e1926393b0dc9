import { invalid, positiveInteger } from "../core/arguments.js";
import { StoreError } from "../core/errors.js";
import { canonicalDirectory, canonicalKey, isBelow } from "../core/keys.js";
import type { KVPair } from "../core/pair.js";
import type { Store, TreeChange } from "../core/store.js";
import { createDeferred } from "../util/deferred.js";
import { type Decode, decoderOf, invalidValue } from "./decode.js";
import type { InvalidValueError } from "./invalid-value-error.js";
import { Listeners } from "./listeners.js";
import type { InvalidPolicy, Mirror, MirrorChange, MirrorOptions, MirrorState, MirrorStateChange } from "./mirror.js";
import { MirrorEntries, type MirrorEntry } from "./mirror-entries.js";
import { StoreProbe } from "./store-probe.js";

/**
 * Keeps a local copy of all keys below a directory, fed by one watch, so that reads are synchronous and cost no round
 * trip. Await `ready` before the first read. A mirror keeps the process alive until it, or its store, is closed.
 */
export function createMirror<T = string>(store: Store, directory: string, options: MirrorOptions<T> = {}): Mirror<T> {
  return new WatchedMirror(store, canonicalDirectory(directory), options);
}

/** What the watch says of a key, decoded: the pair it has now, that it is gone, or that its value is not valid. */
type Reading<T> =
  | { readonly type: "put"; readonly entry: MirrorEntry<T>; readonly bytes: Uint8Array }
  | { readonly type: "gone"; readonly key: string }
  | { readonly type: "invalid"; readonly error: InvalidValueError };

class WatchedMirror<T> implements Mirror<T> {
  readonly directory: string;
  readonly ready: Promise<void>;
  readonly #store: Store;
  readonly #decode: Decode<T>;
  readonly #policy: InvalidPolicy;
  readonly #ready = createDeferred<void>();
  readonly #entries = new MirrorEntries<T>();
  readonly #invalid = new Map<string, InvalidValueError>();
  readonly #invalidListeners = new Listeners<InvalidValueError>();
  readonly #changeListeners = new Listeners<readonly MirrorChange<T>[]>();
  readonly #stateListeners = new Listeners<MirrorStateChange>();
  readonly #unsubscribe: () => void;
  readonly #probe: StoreProbe;
  #state: MirrorState = "loading";
  /** The watch that feeds the mirror, and after an outage the one that will as soon as it has the state of now. */
  #feeding: AsyncIterator<TreeChange> | undefined;
  #joining: AsyncIterator<TreeChange> | undefined;

  constructor(store: Store, directory: string, options: MirrorOptions<T>) {
    this.#store = store;
    this.directory = directory;
    this.#decode = decodeOption(options);
    this.#policy = options.invalid ?? "keep";
    if (options.onInvalid !== undefined) this.#invalidListeners.add(options.onInvalid);
    this.ready = this.#ready.promise;
    // Whoever does not wait for it is told by the state.
    this.ready.catch(() => undefined);
    const probeIntervalMs = positiveInteger("probeIntervalMs", options.probeIntervalMs) ?? 5_000;
    this.#join();
    this.#probe = new StoreProbe(store, probeIntervalMs, {
      onAnswer: () => this.#reached(),
      onFailure: (reason) => this.#outage(reason),
    });
    this.#unsubscribe = store.onStateChange(({ state, previous, reason }) => {
      if (state === previous) return;
      if (state === "suspended") this.#outage(reason);
      if (state === "connected") this.#join();
      if (state === "closed") this.#end(reason);
    });
  }

  get state(): MirrorState {
    return this.#state;
  }

  get stale(): boolean {
    return this.#state !== "current";
  }

  get size(): number {
    this.#checkReady();
    return this.#entries.size;
  }

  get invalid(): ReadonlyMap<string, InvalidValueError> {
    return this.#invalid;
  }

  get(key: string): T | undefined {
    return this.entry(key)?.value;
  }

  entry(key: string): MirrorEntry<T> | undefined {
    const entry = this.#entries.get(key);
    if (entry !== undefined) return entry;
    this.#checkReady();
    const canonical = canonicalKey(key);
    if (!isBelow(canonical, this.directory)) throw this.#notBelow(canonical);
    return this.#entries.get(canonical);
  }

  list(directory: string = this.directory): readonly MirrorEntry<T>[] {
    this.#checkReady();
    const canonical = canonicalDirectory(directory);
    if (canonical === this.directory) return this.#entries.below("");
    if (!isBelow(canonical, this.directory)) throw this.#notBelow(canonical);
    return this.#entries.below(canonical);
  }

  onChange(listener: (changes: readonly MirrorChange<T>[]) => void): () => void {
    return this.#changeListeners.add(listener);
  }

  onStateChange(listener: (change: MirrorStateChange) => void): () => void {
    return this.#stateListeners.add(listener);
  }

  close(): void {
    this.#end(undefined);
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /**
   * Starts a watch, whose first item is a state at least as new as this moment, and lets it take over when that item is
   * there: after an outage, only then is it sure that nothing older is shown.
   */
  #join(): void {
    if (this.#state === "closed") return;
    void this.#joining?.return?.();
    const watch = this.#store.watchTree(this.directory)[Symbol.asyncIterator]();
    this.#joining = watch;
    void this.#follow(watch);
  }

  async #follow(watch: AsyncIterator<TreeChange>): Promise<void> {
    try {
      for (;;) {
        const { done, value } = await watch.next();
        if (done === true) break;
        const complete = watch === this.#joining;
        if (complete) this.#takeOver(watch);
        const readings = await this.#read(value);
        if (watch !== this.#feeding) return;
        this.#apply(complete ? [...readings, ...this.#missingFrom(readings)] : readings, complete);
      }
      if (watch === this.#feeding || watch === this.#joining) this.#end(undefined);
    } catch (error) {
      if (watch === this.#feeding || watch === this.#joining) this.#end(error as StoreError);
    }
  }

  /** From its first item on, before that is decoded, or the watch before could tell of something newer in between. */
  #takeOver(watch: AsyncIterator<TreeChange>): void {
    void this.#feeding?.return?.();
    this.#feeding = watch;
    this.#joining = undefined;
  }

  #read({ changes }: TreeChange): Promise<Reading<T>[]> {
    return Promise.all(
      changes.map(async (change) => (change.type === "put" ? this.#readPair(change.pair) : gone(change.key))),
    );
  }

  async #readPair(pair: KVPair): Promise<Reading<T>> {
    const { key, revision, value: bytes } = pair;
    const known = this.#entries.find(key, revision, bytes);
    if (known !== undefined) return { type: "put", entry: known, bytes };
    try {
      return { type: "put", entry: { key, value: await this.#decode(pair), revision }, bytes };
    } catch (error) {
      return { type: "invalid", error: invalidValue(pair, error) };
    }
  }

  /** A first item tells of all keys there are, so those that it does not name are gone. */
  #missingFrom(readings: readonly Reading<T>[]): Reading<T>[] {
    const missing = new Set([...this.#entries.keys(), ...this.#invalid.keys()]);
    for (const reading of readings) missing.delete(keyOf(reading));
    return Array.from(missing, gone);
  }

  /** Takes in everything at once; whoever reads sees all of it or nothing. */
  #apply(readings: readonly Reading<T>[], complete: boolean): void {
    const changes: MirrorChange<T>[] = [];
    const errors: InvalidValueError[] = [];
    for (const reading of readings) {
      if (reading.type === "invalid") {
        const { error } = reading;
        if (this.#invalid.get(error.key)?.revision !== error.revision) errors.push(error);
        this.#invalid.set(error.key, error);
        if (this.#policy === "drop") this.#delete(error.key, changes);
      } else {
        this.#invalid.delete(keyOf(reading));
        if (reading.type === "put") this.#put(reading.entry, reading.bytes, changes);
        else this.#delete(reading.key, changes);
      }
    }
    const wasLoading = this.#state === "loading";
    // A store that was lost again meanwhile says so by its state; the watch after that outage makes the mirror current.
    if (complete) this.#move(this.#store.state === "connected" ? "current" : "stale", undefined);
    for (const error of errors) this.#invalidListeners.tell(error);
    if (wasLoading) this.#ready.resolve();
    else if (changes.length > 0) this.#changeListeners.tell(changes);
  }

  #put(entry: MirrorEntry<T>, bytes: Uint8Array, changes: MirrorChange<T>[]): void {
    const previous = this.#entries.get(entry.key);
    if (entry === previous) return;
    this.#entries.set(entry, bytes);
    changes.push({ type: "put", key: entry.key, entry, previous });
  }

  #delete(key: string, changes: MirrorChange<T>[]): void {
    const previous = this.#entries.get(key);
    if (previous === undefined) return;
    this.#entries.delete(key);
    changes.push({ type: "delete", key, previous });
  }

  #outage(reason: StoreError | undefined): void {
    if (this.#state === "current") this.#move("stale", reason);
  }

  /** A store that was silent for a while need not have noticed it: then it tells of no new connection. */
  #reached(): void {
    if (this.#state === "stale" && this.#joining === undefined && this.#store.state === "connected") this.#join();
  }

  #end(reason: StoreError | undefined): void {
    if (this.#state === "closed") return;
    this.#probe.close();
    const ended = reason ?? new StoreError("CLOSED", "the mirror was closed before its first state had come");
    this.#unsubscribe();
    this.#move("closed", reason);
    this.#ready.reject(ended);
    void this.#joining?.return?.();
    void this.#feeding?.return?.();
  }

  #move(state: MirrorState, reason: StoreError | undefined): void {
    const previous = this.#state;
    if (state === previous) return;
    this.#state = state;
    this.#stateListeners.tell({ state, previous, reason });
  }

  #notBelow(path: string): StoreError {
    return invalid(`the mirror is of ${JSON.stringify(this.directory)}, and ${JSON.stringify(path)} is not below it`);
  }

  #checkReady(): void {
    if (this.#state === "loading") throw invalid("the mirror has not read anything yet: await mirror.ready first");
  }
}

function gone(key: string): { readonly type: "gone"; readonly key: string } {
  return { type: "gone", key };
}

function keyOf(reading: Reading<unknown>): string {
  if (reading.type === "put") return reading.entry.key;
  return reading.type === "gone" ? reading.key : reading.error.key;
}

/** Text is what values without a schema are; that it is, is what `T = string` says to the caller. */
function decodeOption<T>({ schema, decode }: MirrorOptions<T>): Decode<T> {
  if (schema !== undefined && decode !== undefined) throw invalid("a mirror takes a schema or decode, not both");
  if (schema !== undefined) return decoderOf(schema);
  return decode ?? ((pair) => pair.text() as T);
}

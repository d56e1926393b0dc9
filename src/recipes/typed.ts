import type { KVPair } from "../core/pair.js";
import type { CallOptions, PutOptions, ReadOptions, Store, WatchOptions } from "../core/store.js";
import { type Decode, decoderOf, invalidValue, valueOf } from "./decode.js";
import { InvalidValueError } from "./invalid-value-error.js";
import { mapIterable } from "./mapped-iterable.js";
import type { StandardSchema } from "./standard-schema.js";

export interface TypedWatchOptions extends WatchOptions {
  /**
   * Called with each value that is not valid; the watch then goes on, and what it showed last stays good. Without it
   * the loop throws the error.
   */
  onInvalid?: ((error: InvalidValueError) => void) | undefined;
}

/** What `update` calls: the value to write, `null` to delete the key, `undefined` to leave it alone. */
export type TypedUpdater<Input, Output> = (
  current: Output | undefined,
) => Input | null | undefined | Promise<Input | null | undefined>;

/** One key that holds JSON of a known shape. */
export interface Typed<Input, Output = Input> {
  readonly key: string;
  /** The value; `undefined` when the key is absent. Rejects with `InvalidValueError` when it is not valid. */
  get(options?: ReadOptions): Promise<Output | undefined>;
  /** Writes the value as JSON. Rejects with `InvalidValueError`, before anything is sent, when it is not valid. */
  put(value: Input, options?: PutOptions): Promise<KVPair>;
  delete(options?: CallOptions): Promise<boolean>;
  /**
   * Reads, asks `fn`, compares and sets; again when another was faster. Gives what the key holds then. Rejects with
   * `InvalidValueError`, and writes nothing, when what it finds or what `fn` gives is not valid.
   */
  update(fn: TypedUpdater<Input, Output>, options?: PutOptions): Promise<Output | undefined>;
  /** First the current value, `undefined` when absent, then each new one. */
  watch(options?: TypedWatchOptions): AsyncIterable<Output | undefined>;
}

/**
 * One key that holds JSON, checked by a validator on the way in and on the way out. What is stored is the JSON of what
 * the caller gave, not of what the validator makes of it: a validator that transforms gets its own input back when the
 * value is read.
 */
export function typed<Input, Output>(
  store: Store,
  key: string,
  schema: StandardSchema<Input, Output>,
): Typed<Input, Output> {
  return new TypedKey(store, key, schema);
}

class TypedKey<Input, Output> implements Typed<Input, Output> {
  readonly key: string;
  readonly #store: Store;
  readonly #schema: StandardSchema<Input, Output>;
  readonly #decodePair: Decode<Output>;

  constructor(store: Store, key: string, schema: StandardSchema<Input, Output>) {
    this.key = key;
    this.#store = store;
    this.#schema = schema;
    this.#decodePair = decoderOf(schema as StandardSchema<unknown, Output>);
  }

  async get(options?: ReadOptions): Promise<Output | undefined> {
    return this.#decode(await this.#store.get(this.key, options));
  }

  async put(value: Input, options?: PutOptions): Promise<KVPair> {
    return this.#store.put(this.key, await this.#encode(value), options);
  }

  delete(options?: CallOptions): Promise<boolean> {
    return this.#store.delete(this.key, options);
  }

  async update(fn: TypedUpdater<Input, Output>, options?: PutOptions): Promise<Output | undefined> {
    const pair = await this.#store.update(
      this.key,
      async (current) => {
        const next = await fn(await this.#decode(current));
        if (next === null) return null;
        return next === undefined ? undefined : this.#encode(next);
      },
      options,
    );
    return this.#decode(pair);
  }

  watch(options: TypedWatchOptions = {}): AsyncIterable<Output | undefined> {
    const { signal, onInvalid } = options;
    return mapIterable(this.#store.watch(this.key, { signal }), () => async (pair) => {
      try {
        return { item: await this.#decode(pair) };
      } catch (error) {
        if (onInvalid === undefined) throw error;
        onInvalid(error as InvalidValueError);
        return undefined;
      }
    });
  }

  async #decode(pair: KVPair | undefined): Promise<Output | undefined> {
    if (pair === undefined) return undefined;
    try {
      return await this.#decodePair(pair);
    } catch (error) {
      throw invalidValue(pair, error);
    }
  }

  /** The JSON of a value, refused when it would not be valid when it is read again. */
  async #encode(value: Input): Promise<string> {
    const text = JSON.stringify(value) as string | undefined;
    if (text === undefined) throw new InvalidValueError(this.key, undefined, [{ message: "it has no form in JSON" }]);
    valueOf(await this.#schema["~standard"].validate(JSON.parse(text)), this.key, undefined);
    return text;
  }
}

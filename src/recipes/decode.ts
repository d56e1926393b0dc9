import type { KVPair } from "../core/pair.js";
import { InvalidValueError } from "./invalid-value-error.js";
import type { StandardResult, StandardSchema } from "./standard-schema.js";

/** Makes a pair into what the program works with. What it throws counts as "not valid". */
export type Decode<T> = (pair: KVPair) => T | Promise<T>;

/** JSON through a validator. */
export function decoderOf<Output>(schema: StandardSchema<unknown, Output>): Decode<Output> {
  return async (pair) => valueOf(await schema["~standard"].validate(parseJson(pair)), pair.key, pair.revision);
}

/** What the validator gives. Throws an `InvalidValueError` when it finds issues. */
export function valueOf<Output>(result: StandardResult<Output>, key: string, revision: bigint | undefined): Output {
  if (result.issues !== undefined) throw new InvalidValueError(key, revision, result.issues);
  return result.value;
}

/** Any failure to decode a pair, as the one error that callers know. */
export function invalidValue(pair: KVPair, error: unknown): InvalidValueError {
  if (error instanceof InvalidValueError) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new InvalidValueError(pair.key, pair.revision, [{ message }]);
}

function parseJson(pair: KVPair): unknown {
  try {
    return pair.json();
  } catch (error) {
    // The parser's own words quote the value.
    const message = error instanceof SyntaxError ? "it is not JSON" : "it is not UTF-8";
    throw new InvalidValueError(pair.key, pair.revision, [{ message }]);
  }
}

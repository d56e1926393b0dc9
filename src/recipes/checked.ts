import { isStoreError } from "../core/errors.js";

/** What `check` gives; an error that it throws names the store and the key, as every error does. */
export function checked<T>(place: { readonly backend: string; readonly key: string }, check: () => T): T {
  try {
    return check();
  } catch (error) {
    throw isStoreError(error) ? error.with({ ...place, outcome: "not-applied" }) : error;
  }
}

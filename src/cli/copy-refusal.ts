import { isStoreError } from "../core/errors.js";
import { checkValue } from "../core/arguments.js";
import type { CallOptions, Store } from "../core/store.js";
import type { Difference } from "./compare-trees.js";

/** Why the target could not take a key or its value, found out without writing; `undefined` when nothing speaks against it. */
export async function refusalOf(target: Store, difference: Difference, call: CallOptions): Promise<string | undefined> {
  if (!("value" in difference)) return undefined;
  try {
    checkValue(difference.value, target.capabilities);
    // A key that a backend cannot store is refused by every call, before anything is sent. Most have no such keys.
    if (difference.kind === "create" && target.capabilities.keys.refuses.length > 0) {
      await target.exists(difference.key, call);
    }
    return undefined;
  } catch (error) {
    if (!isStoreError(error, "VALUE_TOO_LARGE") && !isStoreError(error, "NOT_SUPPORTED")) throw error;
    return error.reason;
  }
}

import { randomHistory } from "../../interop/support/history.js";
import type { Transaction } from "../../interop/support/model.js";
import { Random } from "../../interop/support/random.js";

/** What the child of the kill test writes, known to both sides by its seed; longer than any child lives. */
export function killHistory(seed: number): Transaction[] {
  const shape = { transactions: 400, operations: 15, keys: 200, valueBytes: 80, largeBytes: 30_000 };
  return randomHistory(new Random(seed), shape);
}

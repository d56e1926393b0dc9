import assert from "node:assert/strict";
import { isStoreError } from "../../core/errors.js";
import type { Store } from "../../core/store.js";
import type { CaseContext, CaseGroup } from "../case.js";
import { forRandomRows } from "./fast-check.js";

/** What a call did, as its caller saw it. `writer` names the store that made it. */
interface Answered {
  readonly kind: "put" | "get" | "delete" | "create";
  readonly writer: number;
  readonly key: string;
  readonly value: string;
  readonly answer: string | boolean | undefined;
}

const kinds = ["put", "get", "delete", "create"] as const;
const keys = ["k", "l"];
/** So many calls are under way at once: every order of them is tried, so it stays small. */
const atOnce = 6;

type State = ReadonlyMap<string, string>;

async function call(store: Store, kind: Answered["kind"], key: string, value: string): Promise<Answered["answer"]> {
  if (kind === "put") return (await store.put(key, value)).text();
  if (kind === "get") return (await store.get(key))?.text();
  if (kind === "delete") return store.delete(key);
  try {
    await store.atomicPut(key, value, undefined);
    return true;
  } catch (error) {
    if (isStoreError(error, "KEY_EXISTS")) return false;
    throw error;
  }
}

/** The state after the call, if its answer is right where it stands in the order; otherwise `undefined`. */
function follow(state: State, { kind, key, value, answer }: Answered): State | undefined {
  const found = state.get(key);
  const after = new Map(state);
  switch (kind) {
    case "put":
      return answer === value ? after.set(key, value) : undefined;
    case "get":
      return answer === found ? state : undefined;
    case "delete":
      after.delete(key);
      return answer === (found !== undefined) ? after : undefined;
    default:
      if (answer !== (found === undefined)) return undefined;
      return answer ? after.set(key, value) : state;
  }
}

/** Whether the calls, all made at once, can have happened one after the other in some order that ends in this state. */
function isExplained(state: State, calls: readonly Answered[], end: State): boolean {
  if (calls.length === 0) return keys.every((key) => state.get(key) === end.get(key));
  return calls.some((next, at) => {
    if (next.kind !== "get" && calls.slice(0, at).some((other) => mustPrecede(other, next))) return false;
    const after = follow(state, next);
    return after !== undefined && isExplained(after, calls.toSpliced(at, 1), end);
  });
}

/** Two writes of one store to one key happen in the order in which they were called. */
function mustPrecede(earlier: Answered, later: Answered): boolean {
  return earlier.kind !== "get" && earlier.writer === later.writer && earlier.key === later.key;
}

async function stateOf(store: Store): Promise<State> {
  return new Map((await store.list("")).map((pair) => [pair.key, pair.text()]));
}

async function interleave(context: CaseContext): Promise<void> {
  const writers = [context.store, await context.another()];
  let run = 0;
  await forRandomRows(context.fc, [kinds.length, writers.length, keys.length], { runs: 40, rows: 24 }, async (rows) => {
    const directory = `interleaved/${run++}`;
    const stores = writers.map((writer) => writer.namespace(directory));
    let state: State = new Map();
    for (let from = 0; from < rows.length; from += atOnce) {
      const calls = rows.slice(from, from + atOnce).map(async ([kind, writer, key], at): Promise<Answered> => {
        const made = { kind: kinds[kind!]!, writer: writer!, key: keys[key!]!, value: `${from + at}` };
        return { ...made, answer: await call(stores[made.writer]!, made.kind, made.key, made.value) };
      });
      const answered = await Promise.all(calls);
      const end = await stateOf(stores[0]!);
      const seen = { before: [...state], answered, after: [...end] };
      assert.ok(
        isExplained(state, answered, end),
        `no order of these calls explains their answers: ${JSON.stringify(seen)}`,
      );
      state = end;
    }
    await Promise.all(stores.map((store) => store.close()));
  });
}

export const interleavings: CaseGroup = {
  name: "random interleavings",
  needs: "fast-check",
  cases: {
    "the answers of concurrent calls fit one order": interleave,
  },
};

import assert from "node:assert/strict";
import { isStoreError } from "../../core/errors.js";
import type { KVPair } from "../../core/pair.js";
import type { Store, TreeChange } from "../../core/store.js";
import type { CaseContext, CaseGroup } from "../case.js";
import { nextItem } from "../steps.js";
import { forRandomRows } from "./fast-check.js";
import { Model, toHex } from "./model.js";

/** Overlapping directories, neighbours in byte order, unusual characters. What a backend refuses is left out. */
const keyPool = [
  "a",
  "a/b",
  "ab",
  "a/b/c",
  "a.b",
  "a-b",
  "a0",
  "b",
  "A",
  "é",
  "e\u0301",
  "日本/語",
  "\uffe0",
  "\u{10000}",
  "a b",
  "%2f",
];
const directoryPool = ["", "a", "ab", "a/b", "b", "日本", "absent"];
const valuePool = ["", "1", "a longer value", "ü\u0000\n", "\u{1f600}"].map((text) => new TextEncoder().encode(text));
const binary = [Uint8Array.of(0xff), Uint8Array.of(0, 255, 128, 0)];
const kinds = 12;

/** The keys of the pool that the backend takes, whatever other keys there are. */
async function usableKeys({ store, capabilities }: CaseContext): Promise<string[]> {
  const usable: string[] = [];
  for (const key of keyPool) {
    if (capabilities.keys.withChildren === "never" && key.startsWith("a/")) continue;
    try {
      await store.get(`probe/${key}`);
      usable.push(key);
    } catch (error) {
      assert.ok(isStoreError(error, "NOT_SUPPORTED") && capabilities.keys.refuses.length > 0, String(error));
    }
  }
  return usable;
}

/** One history: a store and a model side by side, and the pairs that were read on the way. */
class History {
  readonly #store: Store;
  readonly #model = new Model();
  /** What was read or written earlier, for compare-and-set: the pair, and the model's version of it. */
  readonly #remembered: { pair: KVPair; version: number }[] = [];

  constructor(store: Store) {
    this.#store = store;
  }

  /** One call of the store and the same on the model; their answers must agree. */
  async step(kind: number, key: string, directory: string, value: Uint8Array, choice: number): Promise<void> {
    const [store, model] = [this.#store, this.#model];
    switch (kind) {
      case 0:
      case 1:
      case 2:
        return this.#remember(await store.put(key, value), model.put(key, value));
      case 3:
        return this.#read(key);
      case 4:
        return assert.equal(await store.exists(key), model.get(key) !== undefined, `exists ${key}`);
      case 5:
        return assert.equal(await store.delete(key), model.delete(key), `delete ${key}`);
      case 6:
        return this.#compareAndSet(value, choice);
      case 7:
        return this.#create(key, value);
      case 8:
        return this.#compareAndDelete(choice);
      case 9:
        return this.compare(directory, 1 + (choice % 3), 1 + (choice % 4));
      case 10:
        if (directory === "" || choice % 4 !== 0) return this.compare(directory, 1, 2);
        return assert.equal(await store.deleteTree(directory), model.deleteTree(directory), `deleteTree ${directory}`);
      default:
        return this.#update(key, value, choice);
    }
  }

  /** Every way to read the directory gives what the model holds. */
  async compare(directory: string, depth: number, limit: number): Promise<void> {
    const [store, model] = [this.#store, this.#model];
    const expected = model.list(directory);
    assert.deepEqual(lines(await store.list(directory)), expected, `list ${directory}`);
    assert.deepEqual(
      lines(await store.list(directory, { limit })),
      expected.slice(0, limit),
      `list ${directory}, limit ${limit}`,
    );
    assert.deepEqual(await store.keys(directory), model.keys(directory), `keys ${directory}`);
    const named = model.keysToDepth(directory, depth);
    assert.deepEqual(await store.keys(directory, { depth }), named, `keys ${directory}, depth ${depth}`);
    assert.deepEqual(
      await store.keys(directory, { depth, limit }),
      named.slice(0, limit),
      `keys, depth ${depth}, limit ${limit}`,
    );
    const scanned: KVPair[] = [];
    for await (const pair of store.scan(directory, { pageSize: limit })) scanned.push(pair);
    assert.deepEqual(lines(scanned), expected, `scan ${directory}, pages of ${limit}`);
  }

  #remember(pair: KVPair, version: number): void {
    const before = this.#remembered.findLast((each) => each.pair.key === pair.key);
    if (before !== undefined && before.version < version) {
      assert.ok(
        pair.revision > before.pair.revision,
        `revision ${pair.revision} of ${pair.key} after ${before.pair.revision}`,
      );
    }
    this.#remembered.push({ pair, version });
  }

  async #read(key: string): Promise<void> {
    const pair = await this.#store.get(key);
    assert.equal(pair === undefined ? undefined : toHex(pair.value), this.#model.get(key), `get ${key}`);
    if (pair !== undefined) this.#remember(pair, this.#model.version(key)!);
  }

  async #compareAndSet(value: Uint8Array, choice: number): Promise<void> {
    const chosen = this.#remembered[choice % this.#remembered.length];
    if (chosen === undefined) return;
    const { key, revision } = chosen.pair;
    const put = this.#store.atomicPut(key, value, choice % 2 === 0 ? chosen.pair : { revision });
    if (this.#model.version(key) === chosen.version) this.#remember(await put, this.#model.put(key, value));
    else await conflicts(put, "KEY_MODIFIED");
  }

  async #compareAndDelete(choice: number): Promise<void> {
    const chosen = this.#remembered[choice % this.#remembered.length];
    if (chosen === undefined) return;
    const { key } = chosen.pair;
    const deleted = this.#store.atomicDelete(key, chosen.pair);
    if (this.#model.version(key) === chosen.version) {
      await deleted;
      this.#model.delete(key);
    } else await conflicts(deleted, "KEY_MODIFIED");
  }

  async #create(key: string, value: Uint8Array): Promise<void> {
    const created = this.#store.atomicPut(key, value, undefined);
    if (this.#model.get(key) === undefined) this.#remember(await created, this.#model.put(key, value));
    else await conflicts(created, "KEY_EXISTS");
  }

  async #update(key: string, value: Uint8Array, choice: number): Promise<void> {
    const outcome = [value, null, undefined][choice % 3];
    const pair = await this.#store.update(key, (current) => {
      assert.equal(current === undefined ? undefined : toHex(current.value), this.#model.get(key), `update ${key}`);
      return outcome;
    });
    if (outcome === null) this.#model.delete(key);
    else if (outcome !== undefined) this.#remember(pair!, this.#model.put(key, outcome));
    assert.equal(
      pair === undefined ? undefined : toHex(pair.value),
      this.#model.get(key),
      `the result of update ${key}`,
    );
  }
}

function lines(pairs: readonly KVPair[]): string[] {
  return pairs.map((pair) => `${pair.key}=${toHex(pair.value)}`);
}

async function conflicts(call: Promise<unknown>, code: "KEY_EXISTS" | "KEY_MODIFIED"): Promise<void> {
  const error = await call.then(
    () => assert.fail(`${code} was expected`),
    (reason: unknown) => reason,
  );
  assert.ok(isStoreError(error, code), String(error));
}

/** Runs random histories, each below a directory of its own, and tells `watcher` of each. */
async function runHistories(
  context: CaseContext,
  shape: { runs: number; rows: number },
  watched: boolean,
): Promise<void> {
  const keys = await usableKeys(context);
  const values = context.capabilities.values.content === "bytes" ? [...valuePool, ...binary] : valuePool;
  let run = 0;
  const limits = [kinds, keys.length, directoryPool.length, values.length, 60];
  await forRandomRows(context.fc, limits, shape, async (rows) => {
    const store = context.store.namespace(`history/${run++}`);
    const watching = watched ? store.watchTree("")[Symbol.asyncIterator]() : undefined;
    const replica = new Map<string, string>();
    if (watching !== undefined) apply(replica, await nextItem(context, watching, "the empty tree"));
    const history = new History(store);
    for (const [kind, key, directory, value, choice] of rows) {
      await history.step(kind!, keys[key!]!, directoryPool[directory!]!, values[value!]!, choice!);
    }
    await history.compare("", 1, 3);
    if (watching !== undefined) {
      const { revision } = await store.put("zzz-the-last", "1");
      while (replica.get("zzz-the-last") !== `31 ${revision}`)
        apply(replica, await nextItem(context, watching, "the last write"));
      const listed = (await store.list("")).map((pair) => [pair.key, `${toHex(pair.value)} ${pair.revision}`] as const);
      assert.deepEqual(
        Object.fromEntries(replica),
        Object.fromEntries(listed),
        "the watch's changes do not add up to the list",
      );
      await watching.return?.();
    }
    await store.close();
  });
}

/** What a follower of the watch does; the item must agree with what it followed so far. */
function apply(replica: Map<string, string>, item: TreeChange): void {
  for (const change of item.changes) {
    const before = replica.get(change.key)?.split(" ")[0];
    assert.equal(
      change.previous === undefined ? undefined : toHex(change.previous.value),
      before,
      `what was before ${change.key}`,
    );
    if (change.type === "delete") replica.delete(change.key);
    else replica.set(change.key, `${toHex(change.pair.value)} ${change.pair.revision}`);
  }
  assert.deepEqual(
    new Set(item.pairs.map((pair) => pair.key)),
    new Set(replica.keys()),
    "the snapshot of a watch's item",
  );
}

export const histories: CaseGroup = {
  name: "random histories",
  needs: "fast-check",
  cases: {
    "a store answers as a plain map would": (context) => runHistories(context, { runs: 40, rows: 60 }, false),
    "a watch's changes add up to the list": (context) => runHistories(context, { runs: 20, rows: 40 }, true),
  },
};

import { rm } from "node:fs/promises";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { type BoltStore, connectBolt } from "kvasir/bolt";
import { type DB, open } from "kvasir/bolt/engine";
import { checkValue, directory, keyBytesOf, keyCount, keys, randomOrder, valueOf } from "../harness/keys.js";
import { callers, repeated, type Side, throughput } from "../harness/side.js";

const bucket = "bench";

/** Our sides: a store, and the engine alone, each on a file of its own with all the keys. */
export class Ours {
  readonly #folder: string;
  readonly #store: BoltStore;
  readonly #db: DB;
  readonly #order = randomOrder();
  #next = 0;
  #files = 0;

  private constructor(folder: string, store: BoltStore, db: DB) {
    this.#folder = folder;
    this.#store = store;
    this.#db = db;
  }

  static async open(folder: string): Promise<Ours> {
    const store = await connectBolt({ path: join(folder, "store.db") });
    const ours = new Ours(folder, store, await open(join(folder, "engine.db")));
    await ours.#load(ours.#db);
    for (let from = 0; from < keyCount; from += 10_000) {
      const indexes = Array.from({ length: 10_000 }, (_, at) => from + at);
      await Promise.all(indexes.map((index) => store.put(keys[index]!, valueOf(index))));
    }
    return ours;
  }

  /** `store.get`, one after the other, each awaited. */
  readonly get: Side = throughput(async (milliseconds) => {
    const end = performance.now() + milliseconds;
    let operations = 0;
    while (performance.now() < end) {
      for (let at = 0; at < 500; at++) {
        const index = this.#index();
        const pair = await this.#store.get(keys[index]!);
        checkValue(pair?.value, index);
      }
      operations += 500;
      // Promises alone would keep the event loop from turning.
      await setImmediate();
    }
    return operations;
  });

  /** The engine's `get` of random keys, all in one transaction. */
  readonly getInOne: Side = throughput(async (milliseconds) =>
    this.#db.view((tx) => {
      const end = performance.now() + milliseconds;
      const found = tx.bucket(bucket)!;
      let operations = 0;
      while (performance.now() < end) {
        for (let at = 0; at < 500; at++) {
          const index = this.#index();
          checkValue(found.get(keyBytesOf(index)), index);
        }
        operations += 500;
      }
      return operations;
    }),
  );

  /** `store.put` of random keys, each resolved when durable. */
  put(inflight: number): Side {
    return throughput((milliseconds) =>
      callers(inflight, milliseconds, () => {
        const index = this.#index();
        return this.#store.put(keys[index]!, valueOf(index));
      }),
    );
  }

  /** All keys in order, in one durable transaction on a new file. */
  readonly bulk: Side = repeated(
    keyCount,
    () => open(join(this.#folder, `bulk-${this.#files++}.db`)),
    (db) => this.#load(db),
    // Files that stay would take ever new memory for their pages, which on a virtual machine is slow at first.
    async (db) => {
      await db.close();
      await rm(db.path);
    },
  );

  /** `store.list` of everything. */
  readonly list: Side = repeated(
    keyCount,
    async () => {},
    async () => {
      const pairs = await this.#store.list(directory);
      checkCount(pairs.length);
      checkValue(pairs[4_711]!.value, 4_711);
    },
  );

  /** The engine's cursor over everything, every key and value looked at. */
  readonly scan: Side = repeated(
    keyCount,
    async () => {},
    async () => {
      this.#db.view((tx) => {
        const cursor = tx.bucket(bucket)!.cursor();
        let index = 0;
        for (let found = cursor.first(); found; found = cursor.next()) {
          if (cursor.key!.length !== keyBytesOf(index).length) throw new Error(`key ${index} is another`);
          checkValue(cursor.value, index++);
        }
        checkCount(index);
      });
    },
  );

  async close(): Promise<void> {
    await this.#store.close();
    await this.#db.close();
  }

  async #load(db: DB): Promise<void> {
    await db.update((tx) => {
      const created = tx.createBucket(bucket);
      for (let index = 0; index < keyCount; index++) created.put(keyBytesOf(index), valueOf(index));
    });
  }

  #index(): number {
    return this.#order[this.#next++ & (this.#order.length - 1)]!;
  }
}

export function checkCount(count: number): void {
  if (count !== keyCount) throw new Error(`${count} keys were read, not ${keyCount}`);
}

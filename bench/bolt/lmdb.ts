import { rm } from "node:fs/promises";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { open, type RootDatabase } from "lmdb";
import { checkValue, directory, keyCount, keys, randomOrder, valueOf } from "../harness/keys.js";
import { callers, repeated, type Side, throughput } from "../harness/side.js";
import { checkCount } from "./ours.js";

/** All keys below the directory. */
const range = { start: `${directory}/`, end: `${directory}0` };

/**
 * The sides of `lmdb`, opened as its documentation says, with values as plain bytes. Its defaults sync each commit, and
 * the promise of a put resolves after that.
 */
export class Lmdb {
  readonly #folder: string;
  readonly #db: RootDatabase<Buffer, string>;
  readonly #order = randomOrder();
  #next = 0;
  #files = 0;

  private constructor(folder: string, db: RootDatabase<Buffer, string>) {
    this.#folder = folder;
    this.#db = db;
  }

  static async open(folder: string): Promise<Lmdb> {
    const lmdb = new Lmdb(folder, openFile(join(folder, "peer.mdb")));
    await lmdb.#load(lmdb.#db);
    return lmdb;
  }

  /** `get` is synchronous, and so not awaited. */
  readonly get: Side = throughput(async (milliseconds) => {
    const end = performance.now() + milliseconds;
    let operations = 0;
    while (performance.now() < end) {
      for (let at = 0; at < 500; at++) {
        const index = this.#index();
        checkValue(this.#db.get(keys[index]!), index);
      }
      operations += 500;
      await setImmediate();
    }
    return operations;
  });

  put(inflight: number): Side {
    return throughput((milliseconds) =>
      callers(inflight, milliseconds, () => {
        const index = this.#index();
        return this.#db.put(keys[index]!, valueOf(index));
      }),
    );
  }

  readonly bulk: Side = repeated(
    keyCount,
    async () => {
      const path = join(this.#folder, `bulk-${this.#files++}.mdb`);
      return { path, db: openFile(path) };
    },
    ({ db }) => this.#load(db),
    async ({ path, db }) => {
      await db.close();
      await Promise.all([rm(path), rm(`${path}-lock`)]);
    },
  );

  /** The range as an array, with its keys and values. */
  readonly list: Side = repeated(
    keyCount,
    async () => {},
    async () => {
      const entries = [...this.#db.getRange(range)];
      checkCount(entries.length);
      checkValue(entries[4_711]!.value, 4_711);
    },
  );

  /** The range one entry after the other. */
  readonly scan: Side = repeated(
    keyCount,
    async () => {},
    async () => {
      let index = 0;
      for (const { key, value } of this.#db.getRange(range)) {
        if (key.length !== keys[index]!.length) throw new Error(`key ${index} is another`);
        checkValue(value, index++);
      }
      checkCount(index);
    },
  );

  close(): Promise<void> {
    return this.#db.close();
  }

  /** In one transaction by `batch`: of the ways that lmdb has for it the fastest. */
  async #load(db: RootDatabase<Buffer, string>): Promise<void> {
    await db.batch(() => {
      for (const [index, key] of keys.entries()) void db.put(key, valueOf(index));
    });
  }

  #index(): number {
    return this.#order[this.#next++ & (this.#order.length - 1)]!;
  }
}

function openFile(path: string): RootDatabase<Buffer, string> {
  return open<Buffer, string>({ path, encoding: "binary" });
}

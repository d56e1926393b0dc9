import { join } from "node:path";
import { OracleProcess } from "../../test/interop/support/go.js";
import { keyCount } from "../harness/keys.js";
import type { Side } from "../harness/side.js";

/** What the Go program answers to a work: operations per second, and its own CPU microseconds for each. */
interface Timing {
  perSecond: number;
  cpuUs: number;
  fileBytes: number;
}

/** The sides of Go's bbolt: a Go program that times itself, and waits for its turn between. */
export class Bbolt {
  readonly #process: OracleProcess;
  readonly #rates = new Map<string, number>();
  #seed = 1;

  private constructor(process: OracleProcess) {
    this.#process = process;
  }

  static async open(folder: string): Promise<Bbolt> {
    const bbolt = new Bbolt(await OracleProcess.start(["bench", join(folder, "peer.db")]));
    await bbolt.#run("bulk", keyCount);
    return bbolt;
  }

  /** A read transaction for each of random keys. */
  readonly get: Side = this.#timed("get", 10_000);
  /** Random keys in one read transaction. */
  readonly getInOne: Side = this.#timed("getInOne", 10_000);
  /** A durable transaction for each of random keys. */
  readonly put: Side = this.#timed("put", 50);

  /** `db.Batch` from as many goroutines. */
  batch(inflight: number): Side {
    return this.#timed("batch", 500, inflight);
  }

  async close(): Promise<void> {
    await this.#process.end();
  }

  /** The program is told how often, not how long: the rate of its last turn says. `first` is for the first one. */
  #timed(work: string, first: number, inflight = 1): Side {
    return async (milliseconds) => {
      const rate = this.#rates.get(work) ?? (await this.#run(work, first, inflight)).perSecond;
      const timing = await this.#run(work, Math.max(Math.ceil((rate * milliseconds) / 1_000), 10), inflight);
      this.#rates.set(work, timing.perSecond);
      return { figure: timing.perSecond, cpuUs: timing.cpuUs };
    };
  }

  #run(work: string, count: number, inflight = 1): Promise<Timing> {
    return this.#process.call({ work, count, keys: keyCount, inflight, seed: this.#seed++ }) as Promise<Timing>;
  }
}

/** The size of a new file after so many inserts in random order, one transaction each. */
export async function bboltFileBytes(path: string, count: number): Promise<number> {
  const process = await OracleProcess.start(["bench", "-no-sync", path]);
  const timing = (await process.call({ work: "insert", count, keys: count, inflight: 1, seed: 1 })) as Timing;
  await process.end();
  return timing.fileBytes;
}

import { createHash } from "node:crypto";
import { type OpenOptions, openStorage } from "../../../src/bolt/engine/index.js";
import { MemoryStorage } from "../../../src/bolt/engine/memory-storage.js";
import { checkEngine, dumpEngine, runOperations } from "./engine.js";
import { type HistoryShape, hex, randomHistory } from "./history.js";
import { Model, type Transaction } from "./model.js";
import { PowerFailures } from "./power-failures.js";
import { Random } from "./random.js";
import type { RecordingDisk } from "./recording-disk.js";

/** What a workload is made of. */
export interface Workload {
  options: OpenOptions;
  shape: HistoryShape;
  /** How many transactions are under way at once. */
  inflight: number;
  /** Through which call; `batch` puts several in one commit. */
  call: "update" | "batch";
}

/** A workload as it went. */
export interface Recording {
  disk: RecordingDisk;
  /** Dumps: the first is the start, the nth the state after n transactions. */
  states: string[];
  /** How many events there were when the file was open and the first transaction could begin. */
  opened: number;
  workload: Workload;
}

/** Runs a random history on the disk and records it. */
export async function record(disk: RecordingDisk, workload: Workload, random: Random): Promise<Recording> {
  const db = await openStorage(disk, workload.options);
  const opened = disk.events;
  const model = Model.fromDump(dumpEngine(db));
  const states = [model.dump()];
  const history = randomHistory(random, workload.shape);
  const { call } = workload;
  let acknowledged = 0;
  const commit = async (transaction: Transaction): Promise<void> => {
    let state = 0;
    await db[call]((tx) => {
      runOperations(tx, transaction.ops);
      model.apply(transaction);
      state = states.push(model.dump()) - 1;
      disk.markBegun(state);
    });
    // Several may be acknowledged together, in any order: the newest counts.
    acknowledged = Math.max(acknowledged, state);
    disk.markAcknowledged(acknowledged);
  };
  const caller = async (): Promise<void> => {
    for (let next = history.shift(); next !== undefined; next = history.shift()) await commit(next);
  };
  await Promise.all(Array.from({ length: workload.inflight }, caller));
  await db.close();
  return { disk, states, opened, workload };
}

/** What was found out about the images of one recording. */
export interface CrashReport {
  /** Different images that were opened and compared. */
  images: number;
  /** How many of them showed a transaction that was not acknowledged yet, but whole. */
  ahead: number;
}

/**
 * Crashes the recorded workload at `points` random moments and looks at what a
 * disk may hold then. Throws, naming the seed and the moment, where a file does
 * not open or check, lost an acknowledged transaction, or has half of another.
 */
export async function crashEverywhere(recording: Recording, points: number, random: Random): Promise<CrashReport> {
  const { disk, opened } = recording;
  const failures = new PowerFailures(disk);
  const moments = Array.from({ length: points }, () => random.between(opened, disk.events)).sort((a, b) => a - b);
  const seen = new Set<string>();
  const report: CrashReport = { images: 0, ahead: 0 };
  for (const at of moments) {
    const image = failures.image(at, random);
    const digest = createHash("md5").update(image).digest("base64");
    if (seen.has(digest)) continue;
    seen.add(digest);
    try {
      if (await isAhead(image, at, recording, random)) report.ahead++;
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new Error(`crash image at event ${at} of ${disk.events}, seed ${random.seed}: ${reason}`, { cause: error });
    }
    report.images++;
  }
  return report;
}

/** Opens one image and compares; says whether it is ahead of what was acknowledged. */
async function isAhead(image: Uint8Array, at: number, recording: Recording, random: Random): Promise<boolean> {
  const db = await openStorage(new MemoryStorage(image), recording.workload.options);
  try {
    assertSound(await checkEngine(db));
    const state = dumpEngine(db);
    const { begun, acknowledged } = recording.disk.progress(at);
    const place = recording.states.indexOf(state, acknowledged);
    if (place < 0 || place > begun) {
      const was = recording.states.indexOf(state);
      const found = was < 0 ? "a state that never was" : `the state after transaction ${was}`;
      throw new Error(`expected transaction ${acknowledged} acknowledged to ${begun} begun, found ${found}`);
    }
    if (random.chance(0.25)) {
      // The survivor must be fit to go on, with the right pages free.
      const model = Model.fromDump(state);
      const more = randomHistory(new Random(at), { transactions: 2, operations: 12, keys: 40, valueBytes: 300 });
      more.push({ ops: [{ op: "put", bucket: [hex("bucket-0")], key: hex("k-after"), value: "aa", size: 5000 }] });
      for (const transaction of more) {
        model.apply(transaction);
        await db.update((tx) => runOperations(tx, transaction.ops));
      }
      assertSound(await checkEngine(db));
      if (dumpEngine(db) !== model.dump()) throw new Error("writing to the recovered file gave a wrong state");
    }
    return place > acknowledged;
  } finally {
    await db.close();
  }
}

function assertSound(problems: readonly string[]): void {
  if (problems.length === 0) return;
  const more = problems.length > 5 ? ` and ${problems.length - 5} more` : "";
  throw new Error(`check() found ${problems.slice(0, 5).join(", ")}${more}`);
}

import { MemoryStorage } from "../../../src/bolt/engine/memory-storage.js";
import type { Random } from "./random.js";
import type { DiskChange, RecordingDisk } from "./recording-disk.js";

/** What disks write whole; larger writes may arrive in part. */
const sectorSize = 512;

/**
 * Builds what a recorded disk may hold after a power failure: all that was
 * durable by then, and any part of what was not, in any order.
 */
export class PowerFailures {
  /** What is durable at `#at`, kept up as crash points ascend. */
  #durable: MemoryStorage;
  #waiting: DiskChange[];
  #at = 0;

  constructor(recording: RecordingDisk) {
    this.#durable = new MemoryStorage(recording.initial);
    this.#waiting = recording.changes;
  }

  /** The disk after a power failure when `at` events had happened. Crash points must not descend. */
  image(at: number, random: Random): Uint8Array {
    if (at < this.#at) throw new Error(`crash point ${at} after ${this.#at}`);
    this.#at = at;
    for (const change of this.#waiting) if (change.durableAt <= at) applyWhole(this.#durable, change);
    this.#waiting = this.#waiting.filter((change) => change.durableAt > at);
    const disk = new MemoryStorage(this.#durable.content());
    const pending = this.#waiting.filter((change) => change.at <= at);
    for (const [index, survival] of survivals(pending.length, random).entries()) {
      applySurvival(disk, pending[index]!, survival, random);
    }
    return disk.content();
  }
}

/** What becomes of one write that no sync covered. */
type Survival = "whole" | "lost" | "torn" | "cut";

/** Picks a way for the power to fail: each is a different pattern over the writes in flight. */
function survivals(count: number, random: Random): Survival[] {
  if (count === 0) return [];
  const all = (one: Survival): Survival[] => Array.from({ length: count }, () => one);
  const way = random.below(8);
  const odd = random.below(count);
  if (way === 0) return all("lost");
  if (way === 1) return all("whole");
  // All but one arrived, or only one did: order is what a disk's cache does not keep.
  if (way === 2) return all("whole").with(odd, random.pick(["lost", "torn", "cut"]));
  if (way === 3) return all("lost").with(odd, random.pick(["whole", "torn"]));
  if (way === 4) return all("torn");
  if (way === 5) return all("lost").map((_, index) => (index < odd ? "whole" : index === odd ? "cut" : "lost"));
  return all("lost").map(() => random.pick<Survival>(["whole", "lost", "torn"]));
}

function applyWhole(disk: MemoryStorage, { change }: DiskChange): void {
  if ("size" in change) disk.resize(change.size);
  else disk.write(change.offset, [change.bytes]);
}

function applySurvival(disk: MemoryStorage, recorded: DiskChange, survival: Survival, random: Random): void {
  const { change } = recorded;
  if (survival === "lost") return;
  if (survival === "whole" || "size" in change) return applyWhole(disk, recorded);
  if (survival === "cut") {
    // A cut at any byte is more than disks do; the checksum of a meta page must stand it.
    return disk.write(change.offset, [change.bytes.subarray(0, random.below(change.bytes.length))]);
  }
  for (let from = 0; from < change.bytes.length; from += sectorSize) {
    if (random.chance(0.5)) disk.write(change.offset + from, [change.bytes.subarray(from, from + sectorSize)]);
  }
}

import { readFileSync } from "node:fs";
import os from "node:os";
import type { Clock } from "../util/clock.js";

/** A clock that all processes of a machine share until it is started again: for lock deadlines in a shared file. */
export interface BootClock {
  /** Tells one boot of one machine from every other. */
  readonly boot: string;
  /** Milliseconds of the machine's monotonic clock. */
  now(): number;
}

/** What time it is for a file: injected by tests and by memory stores. */
export interface FileClocks {
  readonly clock: Clock;
  readonly bootClock: BootClock;
}

function currentBoot(): string {
  try {
    // Linux: random(4), new with each boot.
    return readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
  } catch {
    // Elsewhere: the minute of the boot. A wall clock set meanwhile makes locks of this boot look like another's.
    return `${os.hostname()}@${Math.round((Date.now() / 1000 - os.uptime()) / 60)}`;
  }
}

let boot: string | undefined;

/** The machine's clock. `process.hrtime` counts from the boot, the same in every process. */
export const machineBootClock: BootClock = {
  get boot() {
    boot ??= currentBoot();
    return boot;
  },
  now: () => Number(process.hrtime.bigint() / 1_000n) / 1_000,
};

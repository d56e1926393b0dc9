import { Option } from "commander";
import { parseCount, parseDuration } from "./durations.js";

/** Options that several commands share, in the same words. */
export const staleOption = (): Option =>
  new Option("--stale", "let any member answer: quicker, and possibly a little behind");

export const limitOption = (what: string): Option =>
  new Option("--limit <count>", `stop after this many ${what}`).argParser(parseCount);

export const depthOption = (): Option =>
  new Option("--depth <levels>", "how many levels below the directory to show; 1 is its own").argParser(parseCount);

export const ttlOption = (description: string): Option =>
  new Option("--ttl <duration>", description).argParser(parseDuration);

/**
 * How many writes are under way at once: enough to fill a store's next batch while it is busy with one. More would cost
 * memory and gain nothing.
 */
export const concurrencyOption = (): Option =>
  new Option("--concurrency <count>", "how many keys to write at once").argParser(parseCount).default(2_048);

/** With that many under way each waits behind the others: the usual timeout of one call would be too short. */
export const bulkTimeoutMs = 60_000;

/** What a read of the store takes for `--stale`. */
export function consistencyOf(options: { stale?: boolean }): "stale" | "linearizable" {
  return options.stale === true ? "stale" : "linearizable";
}

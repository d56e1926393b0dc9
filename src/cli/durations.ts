import { InvalidArgumentError } from "commander";

const unitsInMs: Record<string, number> = { "": 1, ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** Reads `2000`, `500ms`, `2s`, `1.5s`, `5m`, `1h` or `1d`; gives whole milliseconds, at least 1. */
export function parseDuration(text: string): number {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h|d|)$/.exec(text.trim());
  const ms = match === null ? Number.NaN : Math.round(Number(match[1]) * unitsInMs[match[2]!]!);
  if (!Number.isSafeInteger(ms) || ms < 1) {
    throw new InvalidArgumentError("Write a duration as 2000 (milliseconds), 500ms, 2s, 5m, 1h or 1d.");
  }
  return ms;
}

/** The shortest way to write a duration for people: `500ms`, `2s`, `1.5s`, `5m`. */
export function formatDuration(ms: number): string {
  for (const unit of ["d", "h", "m", "s"]) {
    const size = unitsInMs[unit]!;
    if (ms >= size && Number.isInteger((ms / size) * 10)) return `${ms / size}${unit}`;
  }
  return `${ms}ms`;
}

/** Reads a whole number of at least 1. */
export function parseCount(text: string): number {
  const count = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (!Number.isSafeInteger(count) || count < 1) throw new InvalidArgumentError("Write a whole number of at least 1.");
  return count;
}

/** Reads a revision, as `kvasir get --json` and `put --json` print it. */
export function parseRevision(text: string): bigint {
  if (!/^\d+$/.test(text)) throw new InvalidArgumentError("Write the revision that `kvasir get --json` shows.");
  return BigInt(text);
}

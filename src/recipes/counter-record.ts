import { StoreError } from "../core/errors.js";
import type { KVPair } from "../core/pair.js";

/** What one counter object did last. */
export interface LastAdd {
  /** The object's id. */
  readonly writer: string;
  /** The number of its compare-and-set, from 1. */
  readonly sequence: number;
  /** The count right after it. */
  readonly count: bigint;
}

/** What stands at a counter's key. */
export interface CounterRecord {
  readonly count: bigint;
  /** What each writer did last, the latest first. */
  readonly writers: readonly LastAdd[];
}

/** So many writers are remembered; those who have not written for longest are forgotten. */
export const rememberedWriters = 64;

/**
 * The text at a counter's key: the count in decimal on the first line, so that people and other programs can read and
 * set it, then a line `<writer> <sequence> <count>` for each writer that is remembered. They tell a writer whose answer
 * was lost whether its last addition was applied.
 */
export function readCounter(backend: string, pair: KVPair | undefined): CounterRecord {
  if (pair === undefined) return { count: 0n, writers: [] };
  const [first = "", ...rest] = textOf(pair).trim().split("\n");
  if (!isInteger(first)) {
    throw new StoreError("INVALID_ARGUMENT", "the key holds something that is not a counter", {
      backend,
      key: pair.key,
    });
  }
  const writers = rest.flatMap((line) => {
    const [writer, sequence, count] = line.split(" ");
    if (writer === undefined || sequence === undefined || count === undefined || !isInteger(count)) return [];
    return [{ writer, sequence: Number(sequence), count: BigInt(count) }];
  });
  return { count: BigInt(first), writers };
}

/** The text for a count that this writer has just made. */
export function writeCounter({ writers }: CounterRecord, last: LastAdd): string {
  const others = writers.filter(({ writer }) => writer !== last.writer).slice(0, rememberedWriters - 1);
  const lines = [last, ...others].map(({ writer, sequence, count }) => `${writer} ${sequence} ${count}`);
  return [String(last.count), ...lines].join("\n");
}

function isInteger(text: string): boolean {
  return /^-?\d+$/.test(text);
}

/** Bytes that are not UTF-8 are no counter either, so they need not be told apart. */
function textOf(pair: KVPair): string {
  return Buffer.from(pair.value).toString("utf8");
}

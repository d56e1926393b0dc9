import type { Side } from "./side.js";

/** What a row of a bench times; the same names in every suite, so that figures can be compared across them. */
export const works = ["get", "getLinearizable", "put", "cas", "list", "scan", "bulk", "watch", "lock"] as const;
export type Work = (typeof works)[number];

/** One comparison: the same work, with the same guarantees, done by us and by a peer. */
export interface Row {
  /** The suite's name, or a name of its own where the row times a part below the store, such as `bolt-engine`. */
  suite: string;
  work: Work;
  /** How many callers wait for an answer at the same time. */
  inflight: number;
  /** The npm package's name, or `bbolt`. */
  peerName: string;
  ours: Side;
  peer: Side;
  /** The ratio to reach, where one is set. */
  target?: number | undefined;
}

/** A figure that is no comparison of speed, such as the size of a file: measured once. */
export interface Measure {
  name: string;
  unit: string;
  ours: () => Promise<number>;
  /** What to stay at or below: a number, or what the peer needs for the same. */
  limit: number | { peerName: string; measure: () => Promise<number> };
}

/** What a suite hands to the harness. */
export interface Suite {
  rows: Row[];
  measures?: Measure[] | undefined;
  /** Closes what the suite opened; its folder is removed afterwards. */
  close(): Promise<void>;
}

/** Prepares a suite: opens the stores and fills them, with files in `folder`. */
export type OpenSuite = (folder: string) => Promise<Suite>;

/** A row's outcome. Per second, except for `watch`: median milliseconds. */
export interface Result {
  suite: string;
  work: Work;
  inflight: number;
  ours: number;
  peer: number;
  peerName: string;
  /** Above 1: ours is faster. */
  ratio: number;
  /** CPU microseconds of the process per operation, all its threads. */
  oursCpuUs: number;
  peerCpuUs: number;
}

/** A result with what people want to know beside it. */
export interface Measured {
  result: Result;
  target: number | undefined;
  /** The lowest and highest ratio of a single round: how far to trust the figure. */
  spread: readonly [low: number, high: number];
}

import { setTimeout } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import type { Measured, Result, Row } from "./row.js";
import { median, type Phase, type Side } from "./side.js";

export interface MeasureOptions {
  rounds: number;
  /** How long each side works in each round, in milliseconds. */
  milliseconds: number;
}

/**
 * Times a row: after a warm-up of both, ours and the peer in turn, the one who begins changing from round to round, so
 * that what else the machine does meets both. Each figure is the median of its rounds.
 */
export async function measure(row: Row, { rounds, milliseconds }: MeasureOptions): Promise<Measured> {
  await row.ours(milliseconds / 2);
  await row.peer(milliseconds / 2);
  const ours: Phase[] = [];
  const peer: Phase[] = [];
  for (let round = 0; round < rounds; round++) {
    if (round % 2 === 0) ours.push(await phase(row.ours, milliseconds));
    peer.push(await phase(row.peer, milliseconds));
    if (round % 2 === 1) ours.push(await phase(row.ours, milliseconds));
  }
  const result = resultOf(row, ours, peer);
  const ratios = ours.map((mine, round) => ratio(row, mine.figure, peer[round]!.figure));
  return { result, target: row.target, spread: [Math.min(...ratios), Math.max(...ratios)] };
}

function resultOf(row: Row, ours: readonly Phase[], peer: readonly Phase[]): Result {
  const { suite, work, inflight, peerName } = row;
  const figures = { ours: median(ours.map(({ figure }) => figure)), peer: median(peer.map(({ figure }) => figure)) };
  return {
    suite,
    work,
    inflight,
    ours: round(figures.ours),
    peer: round(figures.peer),
    peerName,
    ratio: round(ratio(row, figures.ours, figures.peer)),
    oursCpuUs: round(median(ours.map(({ cpuUs }) => cpuUs))),
    peerCpuUs: round(median(peer.map(({ cpuUs }) => cpuUs))),
  };
}

/** Above 1 ours is the better one: more per second, or for `watch` fewer milliseconds. */
function ratio({ work }: Row, ours: number, peer: number): number {
  return work === "watch" ? peer / ours : ours / peer;
}

/** Four digits are more than a bench can tell. */
function round(value: number): number {
  return Number(value.toPrecision(4));
}

/**
 * One phase, begun without the other side's young garbage. A full collection here would cost more than it saves: V8 then
 * shrinks its young generation and drops what it knows of the code, as it would not in a program that just runs on.
 */
async function phase(side: Side, milliseconds: number): Promise<Phase> {
  collectYoung({ type: "minor" });
  await setTimeout(10);
  return side(milliseconds);
}

setFlagsFromString("--expose-gc");
const collectYoung = runInNewContext("gc") as (options: { type: "minor" | "major" }) => void;

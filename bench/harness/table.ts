import type { Measured } from "./row.js";

const digits = new Intl.NumberFormat("en", { maximumSignificantDigits: 4 });

/** `put, 64 in flight`, with the suite where it is not the one that runs. */
export function rowName({ result }: Measured, suite: string): string {
  const name = result.suite === suite ? result.work : `${result.suite} ${result.work}`;
  return `${name}, ${result.inflight} in flight, ${result.peerName}`;
}

/** The results as a table for people. */
export function table(measured: readonly Measured[], suite: string): string {
  const head = ["work, peer", "ours", "peer", "ratio", "of rounds", "to reach", "our CPU us", "peer's"];
  const lines = measured.map((row) => {
    const { ours, peer, ratio, oursCpuUs, peerCpuUs, work } = row.result;
    const unit = work === "watch" ? " ms" : "/s";
    return [
      rowName(row, suite),
      digits.format(ours) + unit,
      digits.format(peer) + unit,
      `${ratio.toFixed(2)}x`,
      row.spread.map((bound) => bound.toFixed(2)).join("-"),
      row.target === undefined ? "" : `${row.target}x${ratio >= row.target ? "" : "  SHORT"}`,
      digits.format(oursCpuUs),
      digits.format(peerCpuUs),
    ];
  });
  return columns([head, ...lines]);
}

/** Rows of cells as text: the first column to the left, numbers to the right. */
function columns(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  const line = (row: readonly string[]): string =>
    row.map((cell, at) => (at === 0 ? cell.padEnd(widths[at]!) : cell.padStart(widths[at]!))).join("   ");
  return `${rows.map((row) => line(row).trimEnd()).join("\n")}\n`;
}

const barWidth = 48;

/** Ratios as bars on a logarithmic scale: `|` marks where both are equally fast, `!` what is to be reached. */
export function terminalPlot(measured: readonly Measured[], suite: string): string {
  const marks = measured.flatMap(({ result, target }) => [result.ratio, target ?? 1]);
  const low = Math.log(Math.min(0.5, ...marks));
  const high = Math.log(Math.max(2, ...marks));
  const place = (ratio: number): number => Math.round(((Math.log(ratio) - low) / (high - low)) * (barWidth - 1));
  const width = Math.max(...measured.map((row) => rowName(row, suite).length));
  const lines = measured.map((row) => {
    const { ratio } = row.result;
    const cells: string[] = Array.from({ length: barWidth }, (_, at) => (at <= place(ratio) ? "█" : " "));
    cells[place(1)] = "|";
    if (row.target !== undefined) cells[place(row.target)] = "!";
    return `${rowName(row, suite).padEnd(width)}  ${cells.join("")}  ${ratio.toFixed(2)}x\n`;
  });
  return lines.join("");
}

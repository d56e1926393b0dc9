import type { Measure } from "./row.js";

const digits = new Intl.NumberFormat("en", { maximumFractionDigits: 1 });

/** Takes a measure and says it in a line. */
export async function measureLine({ name, unit, ours, limit }: Measure): Promise<string> {
  const value = await ours();
  const bound = typeof limit === "number" ? limit : await limit.measure();
  const whose = typeof limit === "number" ? "" : ` (${limit.peerName})`;
  const verdict = value <= bound ? "" : "  SHORT";
  return `${name}: ${digits.format(value)} ${unit}, at most ${digits.format(bound)}${whose}${verdict}\n`;
}

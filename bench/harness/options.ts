import { parseArgs } from "node:util";

export interface BenchOptions {
  suite: string | undefined;
  json: boolean;
  svg: boolean;
  rounds: number;
  milliseconds: number;
  /** The works, suites or measures to run; empty: all. */
  only: ReadonlySet<string>;
}

export function usage(suites: readonly string[]): string {
  return `Usage: npm run bench -- <suite> [options]

Suites: ${suites.join(", ")}

  --json          one line of JSON per row on stdout, all else on stderr
  --svg           also write the plot to docs/plots/<suite>.svg
  --rounds N      how often each side has its turn (default 15)
  --seconds N     how long each turn takes (default 0.3)
  --only A,B      only these works, such as get,put, or measures, such as open

To see where the time goes:
  npm run -s build && node --cpu-prof --import tsx bench/main.ts <suite> --only put
`;
}

/** Reads the command line; throws a plain Error that says what is wrong. */
export function readOptions(args: readonly string[]): BenchOptions {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      json: { type: "boolean", default: false },
      svg: { type: "boolean", default: false },
      rounds: { type: "string", default: "15" },
      seconds: { type: "string", default: "0.3" },
      only: { type: "string", default: "" },
    },
  });
  const rounds = Number(values.rounds);
  const seconds = Number(values.seconds);
  if (!Number.isInteger(rounds) || rounds < 1)
    throw new Error(`--rounds is a whole number from 1, not ${values.rounds}`);
  if (!(seconds > 0)) throw new Error(`--seconds is a number above 0, not ${values.seconds}`);
  if (positionals.length > 1) throw new Error(`one suite at a time, not ${positionals.join(" ")}`);
  const only = new Set(values.only.split(",").filter((name) => name !== ""));
  return { suite: positionals[0], json: values.json, svg: values.svg, rounds, milliseconds: seconds * 1_000, only };
}

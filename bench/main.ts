/** The benchmark: `npm run bench -- <suite>`; see `--help`. */
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { measure } from "./harness/measure.js";
import { measureLine } from "./harness/measures.js";
import { type BenchOptions, readOptions, usage } from "./harness/options.js";
import type { Measured, OpenSuite } from "./harness/row.js";
import { svgPlot } from "./harness/svg.js";
import { table, terminalPlot } from "./harness/table.js";

/** One file per suite; it loads only when asked for. */
const suites: Readonly<Record<string, () => Promise<OpenSuite>>> = {
  bolt: async () => (await import("./bolt.js")).openBoltSuite,
  consul: async () => (await import("./consul.js")).openConsulSuite,
  etcd: async () => (await import("./etcd.js")).openEtcdSuite,
  recipes: async () => (await import("./recipes.js")).openRecipesSuite,
  zookeeper: async () => (await import("./zookeeper.js")).openZookeeperSuite,
};

/** Beside the checkout, for a temporary folder of the system may be in memory, where a sync costs nothing. */
const dataFolder = fileURLToPath(new URL("../.bench", import.meta.url));
const plotFolder = fileURLToPath(new URL("../docs/plots", import.meta.url));

async function run(name: string, open: OpenSuite, options: BenchOptions): Promise<void> {
  // With --json stdout is for the rows alone.
  const say = (text: string): void => void (options.json ? process.stderr : process.stdout).write(text);
  const wanted = (...names: string[]): boolean => options.only.size === 0 || names.some((it) => options.only.has(it));
  await mkdir(dataFolder, { recursive: true });
  const folder = await mkdtemp(join(dataFolder, `${name}-`));
  try {
    const suite = await open(folder);
    const measured: Measured[] = [];
    try {
      for (const row of suite.rows) {
        if (!wanted(row.work, row.suite, row.peerName)) continue;
        process.stderr.write(`${row.suite} ${row.work}, ${row.inflight} in flight, next to ${row.peerName} ...\n`);
        const one = await measure(row, options);
        measured.push(one);
        if (options.json) process.stdout.write(`${JSON.stringify(one.result)}\n`);
      }
      for (const one of suite.measures ?? []) if (wanted(one.name)) say(await measureLine(one));
    } finally {
      await suite.close();
    }
    if (measured.length === 0) return;
    say(`\n${table(measured, name)}\n${terminalPlot(measured, name)}`);
    if (options.svg) {
      await mkdir(plotFolder, { recursive: true });
      await writeFile(join(plotFolder, `${name}.svg`), svgPlot(measured, name, `npm run bench -- ${name}`));
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

try {
  const help = process.argv.includes("--help");
  const options = help ? undefined : readOptions(process.argv.slice(2));
  const name = options?.suite ?? "";
  const load = Object.hasOwn(suites, name) ? suites[name] : undefined;
  if (help) process.stdout.write(usage(Object.keys(suites)));
  else if (options === undefined || load === undefined)
    throw new Error(name === "" ? "which suite?" : `no suite ${name}`);
  else await run(name, await load(), options);
} catch (error) {
  process.exitCode = 1;
  const failure = error instanceof Error ? (error.stack ?? error.message) : String(error);
  process.stderr.write(`${failure}\n\n${usage(Object.keys(suites))}`);
}

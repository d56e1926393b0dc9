import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { addAbortSignal } from "node:stream";
import { Option } from "commander";
import type { Context } from "../context.js";
import { type Configure, examples } from "../define.js";
import { UsageError } from "../exit.js";
import { importRecords } from "../import-records.js";
import { withStore } from "../open-store.js";
import { bulkTimeoutMs, concurrencyOption, ttlOption } from "../options.js";
import { createProgress } from "../progress.js";

interface ImportCommandOptions {
  prefix?: string;
  ifAbsent?: boolean;
  ttl?: number;
  concurrency: number;
}

export const configure: Configure = (command, bind) => {
  command
    .argument("[file]", "what `kvasir export` wrote; `-` or none reads standard input")
    .addOption(new Option("--prefix <directory>", "write the keys below this directory"))
    .addOption(new Option("--if-absent", "leave the keys that are there as they are"))
    .addOption(ttlOption("how long the keys stay; without it, for good"))
    .addOption(concurrencyOption())
    .addHelpText(
      "after",
      `
Reads one JSON object a line, {"key":…,"value":…} or {"key":…,"base64":…}; empty lines are skipped. A line that cannot
be used ends the import with its number: the lines before it are written, those after it are not.
${examples([
  ["kvasir import backup.ndjson", ""],
  ["kvasir import --if-absent < defaults.ndjson", "only what is missing"],
  ["kvasir export --url bolt:./a.db | kvasir import --url etcd://localhost", "from store to store"],
])}`,
    )
    .action(bind((context, file: string | undefined, options: ImportCommandOptions) => run(context, file, options)));
};

async function run(context: Context, file: string | undefined, options: ImportCommandOptions): Promise<void> {
  const { output, notices } = context;
  const source = await openSource(context, file);
  addAbortSignal(context.signal, source.stream);
  const progress = await createProgress(notices, { action: "imported", unit: "keys", total: source.size });
  try {
    const { written, skipped } = await withStore(context, "write", (store) =>
      importRecords(store, source.stream, {
        signal: context.signal,
        timeoutMs: context.timeoutMs ?? bulkTimeoutMs,
        prefix: options.prefix,
        ifAbsent: options.ifAbsent === true,
        ttlMs: options.ttl,
        concurrency: options.concurrency,
        onProgress: (count, bytes) => progress.update(count, bytes),
      }),
    );
    progress.stop();
    if (output.json) await output.record({ written, skipped });
    else if (output.isTerminal)
      await output.line(`imported ${written} keys${skipped > 0 ? `, ${skipped} were there` : ""}`);
  } finally {
    progress.stop();
    source.stream.destroy();
  }
}

async function openSource(context: Context, file: string | undefined) {
  if (file !== undefined && file !== "-") {
    // Asked before the store is opened, so that a wrong path changes nothing.
    const { size } = await stat(file);
    return { stream: createReadStream(file, { highWaterMark: 256 * 1024 }), size };
  }
  if (file === undefined && context.stdinKind() === "terminal") {
    throw new UsageError("there is nothing to import", "Name a file, or pipe one in: kvasir import < FILE");
  }
  return { stream: context.stdin(), size: undefined };
}

import { Option } from "commander";
import type { Context } from "../context.js";
import { type Configure, examples } from "../define.js";
import { withStore } from "../open-store.js";
import { consistencyOf, staleOption } from "../options.js";
import { createProgress } from "../progress.js";
import { encodeRecord } from "../records.js";
import { escapeJson } from "../terminal.js";

interface ExportCommandOptions {
  relative?: boolean;
  stale?: boolean;
}

export const configure: Configure = (command, bind) => {
  command
    .argument("[directory]", "the directory; without it, the whole store", "")
    .addOption(new Option("--relative", "leave the directory out of the keys"))
    .addOption(staleOption())
    .addHelpText(
      "after",
      `
Prints one JSON object a line: {"key":…,"value":…}, or {"key":…,"base64":…} for a value that is not UTF-8. A ttl is not
carried, and neither are locks. The keys below the directory are exported, not the key of its name.
${examples([
  ["kvasir export > backup.ndjson", "the whole store"],
  ["kvasir export config | gzip > config.ndjson.gz", "one directory"],
  ["kvasir export staging --relative | kvasir import --prefix production", "to another directory"],
])}`,
    )
    .action(bind((context, directory: string, options: ExportCommandOptions) => run(context, directory, options)));
};

async function run(context: Context, directory: string, options: ExportCommandOptions): Promise<void> {
  const { output, notices } = context;
  const skipped = options.relative === true ? lengthOfPrefix(directory) : 0;
  // On one terminal the bar and the lines would overwrite each other.
  const progress = await createProgress(output.isTerminal ? undefined : notices, { action: "exported", unit: "keys" });
  let count = 0;
  try {
    await withStore(context, "read", async (store) => {
      const consistency = consistencyOf(options);
      for await (const { key, value } of store.scan(directory, { ...context.call, consistency })) {
        const line = encodeRecord(key.slice(skipped), value);
        const written = output.bulkLine(output.isTerminal ? escapeJson(line) : line);
        if (written !== undefined) await written;
        count += 1;
        progress.update(count);
      }
      await output.flush();
    });
  } finally {
    progress.stop();
  }
  if (!output.isTerminal && notices.isTerminal) notices.say(`exported ${count} ${count === 1 ? "key" : "keys"}`);
}

/** How much longer a key is than its part below the directory. */
function lengthOfPrefix(directory: string): number {
  const segments = directory.split("/").filter((segment) => segment !== "");
  return segments.length === 0 ? 0 : segments.join("/").length + 1;
}

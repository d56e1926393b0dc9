import { Option } from "commander";
import type { Store } from "../../core/store.js";
import type { Context } from "../context.js";
import { type Configure, examples } from "../define.js";
import { withStore } from "../open-store.js";
import { consistencyOf, depthOption, limitOption, staleOption } from "../options.js";
import { valueFields } from "../records.js";
import { bytesToText, escapeLine } from "../terminal.js";

interface ListCommandOptions {
  keys?: boolean;
  limit?: number;
  depth?: number;
  stale?: boolean;
}

export const configure: Configure = (command, bind) => {
  command
    .argument("[directory]", "the directory; without it, the whole store", "")
    .addOption(new Option("--keys", "print the keys only; with --depth, directories too, with a slash at their end"))
    .addOption(limitOption("keys"))
    .addOption(depthOption())
    .addOption(staleOption())
    .addHelpText(
      "after",
      `
Prints one line a key: the key, a tab, and the value with newlines, tabs and backslashes spelt as \\n, \\t and \\\\.
A directory without keys is an empty list, with exit code 0.
${examples([
  ["kvasir list config", "all keys below config/ with their values"],
  ["kvasir list config --keys --depth 1", "what is directly in it"],
  ["kvasir list --json | jq .key", "the whole store, for a program"],
])}`,
    )
    .action(
      bind((context, directory: string, options: ListCommandOptions) =>
        withStore(context, "read", (store) =>
          options.keys === true
            ? printKeys(context, store, directory, options)
            : printPairs(context, store, directory, options),
        ),
      ),
    );
};

async function printPairs(
  context: Context,
  store: Store,
  directory: string,
  options: ListCommandOptions,
): Promise<void> {
  const { output } = context;
  for await (const pair of store.scan(directory, listOptions(context, options))) {
    const { key, value, revision } = pair;
    const written = output.json
      ? output.bulkRecord({ key, ...valueFields(value), revision })
      : output.bulkLine(`${output.escape(key)}\t${output.paint("dim", escapeLine(bytesToText(value)))}`);
    if (written !== undefined) await written;
  }
  await output.flush();
}

async function printKeys(
  context: Context,
  store: Store,
  directory: string,
  options: ListCommandOptions,
): Promise<void> {
  const { output } = context;
  for (const key of await store.keys(directory, listOptions(context, options))) {
    const written = output.json ? output.bulkRecord({ key }) : output.bulkLine(output.escape(key));
    if (written !== undefined) await written;
  }
  await output.flush();
}

function listOptions(context: Context, options: ListCommandOptions) {
  const { limit, depth } = options;
  return { ...context.call, limit, depth, consistency: consistencyOf(options) };
}

import { Option } from "commander";
import type { Store } from "../../core/store.js";
import type { Context } from "../context.js";
import { type CopyCounts, copyTree } from "../copy-tree.js";
import { compareTrees } from "../compare-trees.js";
import { type Configure, examples } from "../define.js";
import { CommandFailure, errorCode, exitCodes } from "../exit.js";
import { withStoreAt } from "../open-store.js";
import { bulkTimeoutMs, concurrencyOption } from "../options.js";
import { createProgress } from "../progress.js";
import { refusalOf } from "../copy-refusal.js";

interface CopyCommandOptions {
  dryRun?: boolean;
  verify?: boolean;
  delete?: boolean;
  concurrency: number;
}

export const configure: Configure = (command, bind) => {
  command
    .argument("<from-url>", "the store to read")
    .argument("<to-url>", "the store to write")
    .argument("[directory]", "copy only the keys below it", "")
    .addOption(
      new Option("--dry-run", "only print what would be done: create, change, delete or refuse, a tab, and the key"),
    )
    .addOption(new Option("--verify", "compare the two afterwards; exit code 1 when they differ"))
    .addOption(new Option("--delete", "delete what is only in the store that is written"))
    .addOption(concurrencyOption())
    .addHelpText(
      "after",
      `
Keys that are the same in both are left alone, so that a second run is quick. A ttl is not carried: the copies stay. A dry
run prints refuse, the key and the reason for what the other store cannot hold; exit code 1 when there is such a key.
${examples([
  ["kvasir cp bolt:./app.db etcd://localhost --dry-run", "what would be done"],
  ["kvasir cp etcd://localhost zk://localhost --verify", "copy everything, then compare"],
  ["kvasir cp consul://old consul://new config", "only the keys below config/"],
])}`,
    )
    .action(
      bind((context, from: string, to: string, directory: string, options: CopyCommandOptions) =>
        withStoreAt(context, from, sameFile(from, to) ? "write" : "read", (source) =>
          options.dryRun === true
            ? withTargetOfDryRun(context, to, (target) => dryRun(context, source, target, directory, options))
            : withStoreAt(context, to, "write", (target) => copy(context, source, target, directory, options)),
        ),
      ),
    );
};

/** A dry run does not create the file it would write: one that is not there counts as an empty store. */
async function withTargetOfDryRun<T>(context: Context, to: string, work: (store: Store) => Promise<T>): Promise<T> {
  try {
    return await withStoreAt(context, to, "read", work);
  } catch (error) {
    if (!(error instanceof Error) || errorCode(error.cause) !== "NOT_FOUND") throw error;
    return withStoreAt(context, "memory:", "read", work);
  }
}

/** One file opened twice is opened in one way: to copy between two of its buckets. */
function sameFile(from: string, to: string): boolean {
  return from.replace(/\?.*/s, "") === to.replace(/\?.*/s, "");
}

async function dryRun(
  context: Context,
  source: Store,
  target: Store,
  directory: string,
  options: CopyCommandOptions,
): Promise<number> {
  const { output } = context;
  let refused = 0;
  for await (const difference of compareTrees(source, target, directory, context.call)) {
    const { kind, key } = difference;
    if (kind === "same" || (kind === "delete" && options.delete !== true)) continue;
    const reason = await refusalOf(target, difference, context.call);
    if (reason !== undefined) refused += 1;
    const action = reason === undefined ? kind : "refuse";
    if (output.json) await output.bulkRecord({ action, key, reason });
    else await output.bulkLine([action, output.escape(key), ...(reason === undefined ? [] : [reason])].join("\t"));
  }
  await output.flush();
  return refused === 0 ? exitCodes.ok : exitCodes.absent;
}

async function copy(
  context: Context,
  source: Store,
  target: Store,
  directory: string,
  options: CopyCommandOptions,
): Promise<number> {
  const { output, notices } = context;
  const progress = await createProgress(notices, { action: "copied", unit: "keys" });
  let counts: CopyCounts;
  try {
    counts = await copyTree(source, target, directory, {
      signal: context.signal,
      timeoutMs: context.timeoutMs ?? bulkTimeoutMs,
      deleteOthers: options.delete === true,
      concurrency: options.concurrency,
      onProgress: (count) => progress.update(count),
    });
  } finally {
    progress.stop();
  }
  if (options.verify === true) await verify(context, source, target, directory, options);
  const { created, changed, same, deleted } = counts;
  if (output.json) await output.record({ ...counts, ...(options.verify === true ? { verified: true } : {}) });
  else {
    const verified = options.verify === true ? "; verified" : "";
    await output.line(`${created} created, ${changed} changed, ${same} the same, ${deleted} deleted${verified}`);
  }
  return exitCodes.ok;
}

async function verify(
  context: Context,
  source: Store,
  target: Store,
  directory: string,
  options: CopyCommandOptions,
): Promise<void> {
  let differences = 0;
  let first = "";
  for await (const { kind, key } of compareTrees(source, target, directory, context.call)) {
    if (kind === "same" || (kind === "delete" && options.delete !== true)) continue;
    differences += 1;
    if (differences === 1) first = key;
  }
  if (differences === 0) return;
  throw new CommandFailure(
    `after the copy ${differences} ${differences === 1 ? "key differs" : "keys differ"}, the first is ${JSON.stringify(first)}`,
    { exitCode: exitCodes.absent, advice: "Somebody may be writing to one of the stores; run cp again to catch up." },
  );
}

import { Option } from "commander";
import type { Context } from "../context.js";
import { type Configure, examples } from "../define.js";
import { parseRevision } from "../durations.js";
import { exitCodes, UsageError } from "../exit.js";
import { withStore } from "../open-store.js";

interface DeleteCommandOptions {
  tree?: boolean;
  root?: boolean;
  ifRevision?: bigint;
}

export const configure: Configure = (command, bind) => {
  command
    .argument("[key]", "the key to delete, or with --tree the directory")
    .addOption(new Option("--tree", "delete all keys below the directory, not the key of its name"))
    .addOption(new Option("--root", "with --tree: yes, delete every key of the store").implies({ tree: true }))
    .addOption(
      new Option("--if-revision <revision>", "only when the key is still at this revision; otherwise exit code 1")
        .argParser(parseRevision)
        .conflicts(["tree", "root"]),
    )
    .addHelpText(
      "after",
      examples([
        ["kvasir delete config/db/host", "exit code 1 when it was not there"],
        ["kvasir delete config/db/host --if-revision 7", "only if nobody changed it"],
        ["kvasir delete --tree config", "all keys below config/"],
        ["kvasir delete --tree --root", "every key there is"],
      ]),
    )
    .action(
      bind((context, key: string | undefined, options: DeleteCommandOptions) => {
        if (options.tree === true) return deleteTree(context, key ?? "", options.root === true);
        if (key === undefined) throw new UsageError("no key is given", "`kvasir delete --help` shows how.");
        return deleteKey(context, key, options.ifRevision);
      }),
    );
};

async function deleteKey(context: Context, key: string, revision: bigint | undefined): Promise<number> {
  const { output } = context;
  const deleted = await withStore(context, "write", async (store) => {
    if (revision === undefined) return store.delete(key, context.call);
    await store.atomicDelete(key, { revision }, context.call);
    return true;
  });
  if (output.json) await output.record({ key, deleted });
  else if (output.isTerminal) await output.line(deleted ? "deleted" : "there was nothing to delete");
  return deleted ? exitCodes.ok : exitCodes.absent;
}

async function deleteTree(context: Context, directory: string, root: boolean): Promise<number> {
  const { output } = context;
  if (isRoot(directory) !== root) {
    throw root
      ? new UsageError("--root deletes every key, and a directory is given too", "Leave out one of the two.")
      : new UsageError("this would delete every key of the store", "Name a directory, or say --root if you mean it.");
  }
  const deleted = await withStore(context, "write", (store) => store.deleteTree(directory, { ...context.call, root }));
  if (output.json) await output.record({ directory, deleted });
  else if (output.isTerminal) await output.line(`deleted ${deleted} ${deleted === 1 ? "key" : "keys"}`);
  return deleted > 0 ? exitCodes.ok : exitCodes.absent;
}

function isRoot(directory: string): boolean {
  return /^\/*$/.test(directory);
}

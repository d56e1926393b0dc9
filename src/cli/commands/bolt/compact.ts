import { stat } from "node:fs/promises";
import { Option } from "commander";
import { type Configure, examples } from "../../define.js";
import { createWholeFile } from "../../new-file.js";
import { withBoltFile } from "../../open-bolt-file.js";

export const configureCompact: Configure = (command, bind) => {
  command
    .argument("<source>", "the file to read")
    .argument("<target>", "the file to make")
    .addOption(new Option("--force", "replace the target when it is there"))
    .addHelpText(
      "after",
      `
A BoltDB file never shrinks; its compacted copy holds the same keys in as few pages as they need.
${examples([["kvasir bolt compact app.db app-small.db", ""]])}`,
    )
    .action(
      bind(async (context, source: string, target: string, options: { force?: boolean }) => {
        const { output } = context;
        await createWholeFile(target, options.force === true, (path) =>
          withBoltFile(context, source, (db) => db.compact(path)),
        );
        const [before, after] = await Promise.all([source, target].map(async (path) => (await stat(path)).size));
        if (output.json) await output.record({ source, target, before, after });
        else await output.line(`${before!.toLocaleString("en")} bytes became ${after!.toLocaleString("en")}`);
      }),
    );
};

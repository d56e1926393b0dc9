import { type Configure, examples } from "../define.js";
import { exitCodes } from "../exit.js";
import { withStore } from "../open-store.js";
import { consistencyOf, staleOption } from "../options.js";

export const configure: Configure = (command, bind) => {
  command
    .argument("<key>", "the key to look for")
    .addOption(staleOption())
    .addHelpText(
      "after",
      examples([["kvasir exists config/db/host && echo yes", "exit code 0 when it is there, 1 when not"]]),
    )
    .action(
      bind(async (context, key: string, options: { stale?: boolean }) => {
        const { output } = context;
        const exists = await withStore(context, "read", (store) =>
          store.exists(key, { ...context.call, consistency: consistencyOf(options) }),
        );
        if (output.json) await output.record({ key, exists });
        else if (output.isTerminal) await output.line(exists ? "yes" : "no");
        return exists ? exitCodes.ok : exitCodes.absent;
      }),
    );
};

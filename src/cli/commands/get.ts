import { type Configure, examples } from "../define.js";
import { exitCodes } from "../exit.js";
import { withStore } from "../open-store.js";
import { consistencyOf, staleOption } from "../options.js";
import { valueFields } from "../records.js";
import { bytesToText } from "../terminal.js";

export const configure: Configure = (command, bind) => {
  command
    .argument("<key>", "the key to read")
    .addOption(staleOption())
    .addHelpText(
      "after",
      examples([
        ["kvasir get config/db/host", "print the value, byte for byte"],
        ["kvasir get certs/ca > ca.der", "binary values too"],
        ["kvasir get config/db/host --json", "with its revision"],
      ]),
    )
    .action(
      bind(async (context, key: string, options: { stale?: boolean }) => {
        const { output } = context;
        const pair = await withStore(context, "read", (store) =>
          store.get(key, { ...context.call, consistency: consistencyOf(options) }),
        );
        if (pair === undefined) {
          context.notices.say(`kvasir: there is no key ${JSON.stringify(key)}`);
          return exitCodes.absent;
        }
        if (output.json) {
          await output.record({ key: pair.key, ...valueFields(pair.value), revision: pair.revision });
        } else if (output.isTerminal) await output.line(output.escape(bytesToText(pair.value)));
        else await output.write(pair.value);
        return exitCodes.ok;
      }),
    );
};

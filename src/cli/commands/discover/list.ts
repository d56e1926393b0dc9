import { createDiscovery } from "../../../recipes/create-discovery.js";
import type { Instance } from "../../../recipes/discovery.js";
import { type Configure, examples } from "../../define.js";
import { withStore } from "../../open-store.js";
import { consistencyOf, staleOption } from "../../options.js";
import { directoryOption, instanceFields, reportInvalid } from "./instance-lines.js";

export const configureList: Configure = (command, bind) => {
  command
    .argument("[service]", "the service; without one, all")
    .addOption(directoryOption())
    .addOption(staleOption())
    .addHelpText(
      "after",
      `
Prints a line an instance: the service, the id, address:port, and meta as name=value, parted by tabs.
${examples([
  ["kvasir discover list", "every instance of every service"],
  ["kvasir discover list web --json", "those of one, for a program"],
])}`,
    )
    .action(
      bind((context, service: string | undefined, options: { directory: string; stale?: boolean }) =>
        withStore(context, "read", async (store) => {
          const { output, call } = context;
          const { directory } = options;
          const read = { ...call, consistency: consistencyOf(options) };
          const discovery = createDiscovery(store, { directory, onInvalid: reportInvalid(context) });
          const services = service === undefined ? await discovery.services(read) : [service];
          for (const each of services) {
            for (const instance of await discovery.instances(each, read)) await print(instance);
          }
          async function print(instance: Instance): Promise<void> {
            if (output.json) await output.bulkRecord(instance);
            else
              await output.bulkLine([output.escape(instance.service), ...instanceFields(context, instance)].join("\t"));
          }
        }),
      ),
    );
};

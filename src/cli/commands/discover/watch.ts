import { Option } from "commander";
import { isStoreError } from "../../../core/errors.js";
import type { Store } from "../../../core/store.js";
import { createDiscovery } from "../../../recipes/create-discovery.js";
import { withDeadline } from "../../../recipes/deadline.js";
import type { Instance, ServiceChange } from "../../../recipes/discovery.js";
import type { Context } from "../../context.js";
import { type Configure, examples } from "../../define.js";
import { exitCodes } from "../../exit.js";
import { withStore } from "../../open-store.js";
import { limitOption } from "../../options.js";
import { directoryOption, instanceFields, reportInvalid } from "./instance-lines.js";

interface WatchOptions {
  directory: string;
  changesOnly?: boolean;
  limit?: number;
}

type Event = readonly [type: "joined" | "left" | "changed", instance: Instance];

export const configureWatch: Configure = (command, bind) => {
  command
    .argument("<service>", "the service")
    .addOption(directoryOption())
    .addOption(new Option("--changes-only", "leave out the instances that are there at the start"))
    .addOption(limitOption("lines"))
    .addHelpText(
      "after",
      `
Prints a line an instance, first for those that are there now: joined, left or changed, the id, address:port, and meta as
name=value, parted by tabs. A watch goes on through outages of the store, until Ctrl-C, --limit or --timeout (which bounds
the whole watch; exit code 1 when --limit lines have not come by then).
${examples([
  ["kvasir discover watch web", "who is there, who comes and who goes"],
  ["kvasir discover watch web --changes-only --limit 1", "wait for the next change"],
])}`,
    )
    .action(
      bind((context, service: string, options: WatchOptions) =>
        withStore(context, "follow", (store) => watch(context, store, service, options)),
      ),
    );
};

async function watch(context: Context, store: Store, service: string, options: WatchOptions): Promise<number> {
  const discovery = createDiscovery(store, { directory: options.directory, onInvalid: reportInvalid(context) });
  const subject = { backend: store.backend, key: service, waitsFor: "the watch" };
  let left = options.limit ?? Number.POSITIVE_INFINITY;
  let skip = options.changesOnly === true;
  try {
    await withDeadline(subject, context.call, async (signal) => {
      for await (const change of discovery.watch(service, { signal })) {
        for (const event of skip ? [] : eventsOf(change)) {
          await print(context, event);
          left -= 1;
          if (left === 0) return;
        }
        skip = false;
      }
    });
  } catch (error) {
    if (!isStoreError(error, "TIMEOUT")) throw error;
    return options.limit === undefined ? exitCodes.ok : exitCodes.absent;
  }
  return exitCodes.ok;
}

/** Those who left first: a port that moved from one instance to another is free before it is taken. */
function eventsOf({ left, joined, changed }: ServiceChange): Event[] {
  return [
    ...left.map((instance): Event => ["left", instance]),
    ...joined.map((instance): Event => ["joined", instance]),
    ...changed.map((instance): Event => ["changed", instance]),
  ];
}

async function print(context: Context, [type, instance]: Event): Promise<void> {
  const { output } = context;
  if (output.json) return output.record({ type, ...instance });
  const colour = type === "left" ? "red" : "green";
  await output.line([output.paint(colour, type), ...instanceFields(context, instance)].join("\t"));
}

import { Option } from "commander";
import type { KVPair } from "../../core/pair.js";
import type { Store } from "../../core/store.js";
import { systemClock } from "../../util/clock.js";
import type { Context } from "../context.js";
import { type Configure, examples } from "../define.js";
import { exitCodes, UsageError } from "../exit.js";
import { withStore } from "../open-store.js";
import { limitOption } from "../options.js";
import { valueFields } from "../records.js";
import { bytesToText, escapeLine } from "../terminal.js";

interface WatchCommandOptions {
  tree?: boolean;
  limit?: number;
  changesOnly?: boolean;
}

/** What is printed for a key: what it is now, or that it went, or that it was not there to begin with. */
type WatchEvent =
  | { type: "put"; key: string; pair: KVPair; initial: boolean }
  | { type: "delete" | "absent"; key: string; initial: boolean };

export const configure: Configure = (command, bind) => {
  command
    .argument("[key]", "the key, or with --tree the directory")
    .addOption(new Option("--tree", "watch all keys below the directory; without one, the whole store"))
    .addOption(new Option("--changes-only", "leave out what is there at the start"))
    .addOption(limitOption("lines"))
    .addHelpText(
      "after",
      `
Prints one line a change, first for what is there now: put, a tab, the key, a tab, and the value with newlines, tabs and
backslashes spelt as \\n, \\t and \\\\; or delete, a tab and the key; or absent, a tab and the key, at the start.
A watch goes on through outages of the server, until Ctrl-C, --limit or --timeout (which bounds the whole watch; exit
code 1 when --limit lines have not come by then).
${examples([
  ["kvasir watch config/db/host", "its value now, and each new one"],
  ["kvasir watch --tree config --json", "each change below config/, for a program"],
  ["kvasir watch jobs/done --changes-only --limit 1", "wait for the next change"],
])}`,
    )
    .action(
      bind(async (context, key: string | undefined, options: WatchCommandOptions) => {
        if (key === undefined && options.tree !== true) {
          throw new UsageError("no key is given", "Name one, or say --tree to watch the whole store.");
        }
        return withStore(context, "follow", (store) => watch(context, store, key ?? "", options));
      }),
    );
};

async function watch(context: Context, store: Store, key: string, options: WatchCommandOptions): Promise<number> {
  const deadline = createDeadline(context);
  const events =
    options.tree === true ? treeEvents(store, key, deadline.signal) : keyEvents(store, key, deadline.signal);
  let left = options.limit ?? Number.POSITIVE_INFINITY;
  try {
    for await (const event of events) {
      if (event.initial && options.changesOnly === true) continue;
      await context.output.write(format(context, event));
      left -= 1;
      if (left === 0) break;
    }
  } catch (error) {
    if (error !== deadline.reached) throw error;
    return options.limit === undefined ? exitCodes.ok : exitCodes.absent;
  } finally {
    deadline.cancel();
  }
  return exitCodes.ok;
}

async function* keyEvents(store: Store, key: string, signal: AbortSignal): AsyncGenerator<WatchEvent> {
  let initial = true;
  for await (const pair of store.watch(key, { signal })) {
    if (pair !== undefined) yield { type: "put", key: pair.key, pair, initial };
    else yield { type: initial ? "absent" : "delete", key, initial };
    initial = false;
  }
}

async function* treeEvents(store: Store, directory: string, signal: AbortSignal): AsyncGenerator<WatchEvent> {
  let initial = true;
  for await (const { changes } of store.watchTree(directory, { signal })) {
    for (const change of changes) {
      const { key } = change;
      yield change.type === "put" ? { type: "put", key, pair: change.pair, initial } : { type: "delete", key, initial };
    }
    initial = false;
  }
}

function format({ output }: Context, event: WatchEvent): string {
  const { type, key, initial } = event;
  if (output.json) {
    const value = type === "put" ? { ...valueFields(event.pair.value), revision: event.pair.revision } : {};
    return output.encodeRecord({ type, key, ...value, ...(initial ? { initial } : {}) });
  }
  const fields = [output.paint(type === "put" ? "green" : "red", type), output.escape(key)];
  if (type === "put") fields.push(escapeLine(bytesToText(event.pair.value)));
  return `${fields.join("\t")}\n`;
}

/** The context's signal, and `--timeout` as the end of the whole watch. */
function createDeadline({ signal, timeoutMs }: Context): { signal: AbortSignal; reached: Error; cancel: () => void } {
  const controller = new AbortController();
  const reached = new Error("the time of the watch is over");
  const onAbort = (): void => controller.abort(signal.reason);
  if (signal.aborted) onAbort();
  signal.addEventListener("abort", onAbort);
  const timer = timeoutMs === undefined ? undefined : systemClock.after(timeoutMs, () => controller.abort(reached));
  return {
    signal: controller.signal,
    reached,
    cancel: () => {
      timer?.cancel();
      signal.removeEventListener("abort", onAbort);
    },
  };
}

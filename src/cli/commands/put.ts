import { Option } from "commander";
import type { KVPair } from "../../core/pair.js";
import type { Store } from "../../core/store.js";
import type { Context } from "../context.js";
import { type Configure, examples } from "../define.js";
import { formatDuration, parseRevision } from "../durations.js";
import { readValue } from "../input.js";
import { withStore } from "../open-store.js";
import { ttlOption } from "../options.js";

interface PutCommandOptions {
  ttl?: number;
  ifAbsent?: boolean;
  ifRevision?: bigint;
}

export const configure: Configure = (command, bind) => {
  command
    .argument("<key>", "the key to write")
    .argument("[value]", "the value; `-`, or none when something is piped in, reads standard input byte for byte")
    .addOption(ttlOption("how long the key stays; without it, for good"))
    .addOption(new Option("--if-absent", "only when the key is not there; otherwise exit code 1"))
    .addOption(
      new Option("--if-revision <revision>", "only when the key is still at this revision; otherwise exit code 1")
        .argParser(parseRevision)
        .conflicts("ifAbsent"),
    )
    .addHelpText(
      "after",
      examples([
        ["kvasir put config/db/host 10.0.0.7", ""],
        ["kvasir put certs/ca < ca.der", "the value from a file"],
        ["kvasir put sessions/42 active --ttl 30s", "gone after 30 seconds"],
        ["kvasir put jobs/owner me --if-absent", "the first one wins"],
        ["kvasir put app/mode on --if-revision 7", "only if nobody changed it"],
      ]),
    )
    .action(
      bind(async (context, key: string, argument: string | undefined, options: PutCommandOptions) => {
        const value = await readValue(context, argument);
        const pair = await withStore(context, "write", (store) => write(context, store, key, value, options));
        await report(context, pair, options);
      }),
    );
};

function write(
  context: Context,
  store: Store,
  key: string,
  value: string | Uint8Array,
  options: PutCommandOptions,
): Promise<KVPair> {
  const putOptions = { ...context.call, ttlMs: options.ttl };
  if (options.ifAbsent === true) return store.atomicPut(key, value, null, putOptions);
  if (options.ifRevision === undefined) return store.put(key, value, putOptions);
  return store.atomicPut(key, value, { revision: options.ifRevision }, putOptions);
}

async function report({ output, notices }: Context, pair: KVPair, options: PutCommandOptions): Promise<void> {
  const { key, revision, ttlMs } = pair;
  if (output.json) await output.record({ key, revision, ttlMs });
  else if (output.isTerminal) await output.line(`${output.escape(key)} ${output.paint("dim", `revision ${revision}`)}`);
  if (options.ttl !== undefined && ttlMs !== undefined && ttlMs !== options.ttl) {
    notices.say(`kvasir: the ttl is ${formatDuration(ttlMs)}, the nearest that this backend can do`);
  }
}

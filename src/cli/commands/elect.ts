import { Option } from "commander";
import { createCandidate } from "../../recipes/candidate.js";
import { withDeadline } from "../../recipes/deadline.js";
import { observeLeader } from "../../recipes/leader.js";
import type { Term } from "../../recipes/term.js";
import { isStoreError } from "../../core/errors.js";
import type { Store } from "../../core/store.js";
import { runChild } from "../child.js";
import type { Context } from "../context.js";
import { type Configure, examples } from "../define.js";
import { parseDuration } from "../durations.js";
import { exitCodes, UsageError } from "../exit.js";
import { withStore } from "../open-store.js";
import { ttlOption } from "../options.js";

/** The ttl of a lock that is not given one, in milliseconds. */
const defaultTtlMs = 15_000;

interface ElectCommandOptions {
  observe?: boolean;
  id?: string;
  ttl?: number;
  grace?: number;
}

export const configure: Configure = (command, bind) => {
  command
    .usage("[options] <key> -- <command> [arguments...]\n       kvasir elect <key> --observe")
    .argument("<key>", "the key of the election; its value is the leader's id")
    .argument("[command...]", "the program to run while leading, and its arguments")
    .addOption(
      new Option("--observe", "do not stand, print who leads, and each change").conflicts(["id", "ttl", "grace"]),
    )
    .addOption(new Option("--id <text>", "the id that others see (default: host, process and a random part)"))
    .addOption(ttlOption("how long the leadership stays when this process dies (default: 15s)"))
    .addOption(
      new Option(
        "--grace <duration>",
        "how long the program may go on after SIGTERM when the leadership is lost (default: 400ms, or a twelfth of the ttl)",
      ).argParser(parseDuration),
    )
    .addHelpText(
      "after",
      `
Waits for the leadership, runs the program, and when the program ends gives the leadership up; the exit code is the
program's. When the leadership is lost, the program gets SIGTERM and after the grace SIGKILL, and the wait begins anew: the
default grace is the time that is left before another can lead. The program finds the key, the id and a fencing token,
which grows from leader to leader, in KVASIR_ELECT_KEY, KVASIR_ELECT_ID and KVASIR_ELECT_TOKEN.

--observe prints a line for each change: leader, a tab and the id; or vacant. It goes on until Ctrl-C or --timeout.
${examples([
  ["kvasir elect jobs/leader -- ./scheduler", "one of all that run this, and another when it fails"],
  ["kvasir elect jobs/leader --ttl 5s --id $(hostname) -- ./scheduler", "with a name, and a quicker failover"],
  ["kvasir elect jobs/leader --observe", "who leads, and who next"],
])}`,
    )
    .action(
      bind((context, key: string, childCommand: string[], options: ElectCommandOptions) => {
        if (options.observe === true) {
          if (childCommand.length > 0) throw new UsageError("--observe does not run a program");
          return withStore(context, "follow", (store) => observe(context, store, key));
        }
        assertProgram(context, childCommand);
        return withStore(context, "follow", (store) => lead(context, store, key, childCommand, options));
      }),
    );
};

/** Without `--` the program's own options could be taken for ours, and it would run without them. */
function assertProgram({ args }: Context, childCommand: readonly string[]): void {
  const separator = args.indexOf("--");
  if (childCommand.length > 0 && separator !== -1 && args.length - separator - 1 === childCommand.length) return;
  throw new UsageError(
    childCommand.length === 0 ? "there is no program to run" : "there is no -- before the program to run",
    "Write: kvasir elect KEY -- PROGRAM [ARGUMENTS...], or kvasir elect KEY --observe",
  );
}

/** Runs the program in each term until it ends by itself, or we are told to end. */
async function lead(
  context: Context,
  store: Store,
  key: string,
  [program, ...args]: readonly string[],
  { id, ttl, grace }: ElectCommandOptions,
): Promise<number> {
  const ended = new AbortController();
  const candidate = createCandidate(store, key, { id, ttlMs: ttl });
  let exitCode: number | undefined;
  const onAbort = (): void => ended.abort(context.signal.reason);
  context.signal.addEventListener("abort", onAbort, { once: true });
  if (context.signal.aborted) onAbort();
  const run = async (term: Term): Promise<void> => {
    const code = await runChild({
      program: program!,
      args,
      // The leadership is known to be lost half a second, or a tenth of the ttl, before another can have it.
      graceMs: grace ?? Math.min((ttl ?? defaultTtlMs) / 12, 400),
      env: {
        ...context.env,
        KVASIR_ELECT_KEY: term.key,
        KVASIR_ELECT_ID: term.id,
        KVASIR_ELECT_TOKEN: term.token.toString(),
      },
      interruption: context.interruption,
      lost: term.signal,
      // On a terminal the program must stay in our process group, or Ctrl-C and reading would not reach it.
      ownGroup: context.stdinKind() !== "terminal",
    });
    if (isStoreError(term.signal.reason, "LOCK_LOST")) {
      context.notices.say(`kvasir: ${term.signal.reason.message}\nThe program was ended; waiting to lead again.`);
      return;
    }
    exitCode = code;
    ended.abort();
  };
  try {
    await candidate.run(run, { signal: ended.signal });
  } catch (error) {
    if (exitCode === undefined) throw error;
  } finally {
    context.signal.removeEventListener("abort", onAbort);
  }
  return exitCode ?? exitCodes.ok;
}

async function observe(context: Context, store: Store, key: string): Promise<number> {
  const { output, call } = context;
  const subject = { backend: store.backend, key, waitsFor: "the observation" };
  try {
    await withDeadline(subject, call, async (signal) => {
      for await (const leader of observeLeader(store, key, { signal })) {
        if (output.json) await output.record({ key, leader: leader ?? null });
        else await output.line(leader === undefined ? "vacant" : `leader\t${output.escape(leader)}`);
      }
    });
  } catch (error) {
    if (!isStoreError(error, "TIMEOUT")) throw error;
  }
  return exitCodes.ok;
}

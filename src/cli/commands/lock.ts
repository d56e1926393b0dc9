import { Option } from "commander";
import { isStoreError } from "../../core/errors.js";
import type { LockHold, Store } from "../../core/store.js";
import { runChild } from "../child.js";
import type { Context } from "../context.js";
import { type Configure, examples } from "../define.js";
import { parseDuration } from "../durations.js";
import { CommandFailure, exitCodes, UsageError } from "../exit.js";
import { withStore } from "../open-store.js";
import { ttlOption } from "../options.js";

interface LockCommandOptions {
  try?: boolean;
  ttl?: number;
  value?: string;
  grace: number;
}

export const configure: Configure = (command, bind) => {
  command
    .usage("[options] <key> -- <command> [arguments...]")
    .argument("<key>", "the key of the lock")
    .argument("<command...>", "the program to run while holding it, and its arguments")
    .addOption(new Option("--try", "do not wait: exit code 1 when another holds the lock"))
    .addOption(ttlOption("how long the lock stays when this process dies (default: 15s)"))
    .addOption(new Option("--value <text>", "what `kvasir get` shows while the lock is held"))
    .addOption(
      new Option("--grace <duration>", "how long the program may go on after SIGTERM when the lock is lost")
        .argParser(parseDuration)
        .default(5_000, "5s"),
    )
    .addHelpText(
      "after",
      `
Waits for the lock, without end or as long as --timeout says (then exit code 1), runs the program, and gives the lock
back. The exit code is the program's. It finds the key in KVASIR_LOCK_KEY and a fencing token, which grows with each
holder, in KVASIR_LOCK_TOKEN. When the lock is lost, the program gets SIGTERM and after the grace SIGKILL; exit code 3.
${examples([
  ["kvasir lock jobs/nightly -- ./nightly.sh", "one at a time, in the whole cluster"],
  ["kvasir lock jobs/nightly --try -- ./nightly.sh", "or not at all"],
  ["kvasir lock deploy --timeout 5m -- make deploy", "wait at most five minutes"],
])}`,
    )
    .action(
      bind((context, key: string, childCommand: string[], options: LockCommandOptions) => {
        assertSeparated(context, childCommand);
        const [program, ...args] = childCommand;
        return withStore(context, "follow", async (store) => {
          const hold = await acquire(context, store, key, options);
          return runHolding(context, hold, { program: program!, args, graceMs: options.grace });
        });
      }),
    );
};

/** Without `--` the program's own options could be taken for ours, and it would run without them. */
function assertSeparated({ args }: Context, childCommand: readonly string[]): void {
  const separator = args.indexOf("--");
  if (separator !== -1 && args.length - separator - 1 === childCommand.length) return;
  throw new UsageError("there is no -- before the program to run", "Write: kvasir lock KEY -- PROGRAM [ARGUMENTS...]");
}

async function acquire(context: Context, store: Store, key: string, options: LockCommandOptions): Promise<LockHold> {
  const lock = store.newLock(key, { ttlMs: options.ttl, value: options.value });
  let hold: LockHold | undefined;
  try {
    hold = await (options.try === true ? lock.tryLock(context.call) : lock.lock(context.call));
  } catch (error) {
    if (options.try === true || !isStoreError(error, "TIMEOUT")) throw error;
    throw new CommandFailure(`the lock ${JSON.stringify(key)} was not free in time`, {
      exitCode: exitCodes.absent,
      advice: "Wait longer with --timeout, or see who holds it with `kvasir get`.",
      cause: error,
    });
  }
  if (hold === undefined) {
    throw new CommandFailure(`another holds the lock ${JSON.stringify(key)}`, { exitCode: exitCodes.absent });
  }
  return hold;
}

async function runHolding(
  context: Context,
  hold: LockHold,
  child: { program: string; args: string[]; graceMs: number },
): Promise<number> {
  let exitCode: number;
  try {
    exitCode = await runChild({
      ...child,
      env: { ...context.env, KVASIR_LOCK_KEY: hold.key, KVASIR_LOCK_TOKEN: hold.token.toString() },
      interruption: context.interruption,
      lost: hold.signal,
      // On a terminal the program must stay in our process group, or Ctrl-C and reading would not reach it.
      ownGroup: context.stdinKind() !== "terminal",
    });
  } catch (error) {
    await hold.unlock().catch(() => undefined);
    throw error;
  }
  if (hold.signal.aborted) throw hold.signal.reason;
  try {
    await hold.unlock({ timeoutMs: context.timeoutMs });
  } catch (error) {
    if (isStoreError(error, "LOCK_LOST")) throw error;
    context.notices.say(`kvasir: the program ended, but the lock could not be given back: ${(error as Error).message}`);
  }
  return exitCode;
}

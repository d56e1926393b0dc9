import { fstatSync } from "node:fs";
import { isatty } from "node:tty";
import type { Readable, Writable } from "node:stream";
import type { ConnectOptions } from "../connect.js";
import type { Store } from "../core/store.js";
import { Interruption } from "./interruption.js";

/** How a command gets at a store. */
export type Connect = (url: string, options: ConnectOptions) => Promise<Store>;

/** A stream that may lead to a terminal. */
export type TerminalWritable = Writable & { readonly isTTY?: boolean | undefined };

/** Everything the command line touches outside itself, so that tests can put their own in its place. */
export interface Environment {
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stdout: TerminalWritable;
  readonly stderr: TerminalWritable;
  /** Opened when first asked for: a command that runs another program must leave standard input to it. */
  readonly stdin: () => Readable;
  readonly stdinKind: () => StdinKind;
  readonly interruption: Interruption;
  readonly connect: Connect;
}

/** `other` is what was given no thought, such as /dev/null under cron: nothing to read a value from. */
export type StdinKind = "terminal" | "piped" | "other";

/** The environment of the real process. Signals that ask it to end go to the interruption. */
export function processEnvironment(): Environment {
  const interruption = new Interruption();
  for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.on(name, () => interruption.deliver(name));
  }
  return {
    args: process.argv.slice(2),
    env: process.env,
    stdout: process.stdout,
    stderr: process.stderr,
    stdin: () => process.stdin,
    stdinKind,
    interruption,
    connect: connectByUrl,
  };
}

/** Loads the library only now, and it only the driver that the URL names. */
const connectByUrl: Connect = async (url, options) => {
  const { connect } = await import("../connect.js");
  return connect(url, options);
};

function stdinKind(): StdinKind {
  if (isatty(0)) return "terminal";
  try {
    const stdin = fstatSync(0);
    return stdin.isFIFO() || stdin.isFile() || stdin.isSocket() ? "piped" : "other";
  } catch {
    return "other";
  }
}

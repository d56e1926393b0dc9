import type { Command } from "commander";
import type { Context } from "./context.js";

/**
 * A command's work: the arguments as commander gives them, then its options. Gives the exit code where it is not 0.
 */
export type Action<Arguments extends unknown[]> = (
  context: Context,
  ...args: Arguments
) => Promise<number | undefined | void>;

/** Turns a command's work into what commander calls. */
export type Bind = <Arguments extends unknown[]>(
  action: Action<Arguments>,
) => (this: Command, ...args: [...Arguments, Command]) => Promise<void>;

/** What each command's file exports: it says which arguments and options there are and what to do. */
export type Configure = (command: Command, bind: Bind) => void;

/** Examples for the end of a help text, each a command line and what it does. */
export function examples(lines: readonly (readonly [command: string, purpose: string])[]): string {
  const width = Math.max(...lines.map(([command]) => command.length));
  const text = lines.map(([command, purpose]) => `  ${command.padEnd(width)}  ${purpose}`);
  return `\nExamples:\n${text.join("\n")}\n`;
}

import type { Command, Option } from "commander";

/** What a shell needs to know of a command. */
export interface CommandSpec {
  /** The words that lead to it, such as `bolt check`; empty for `kvasir` itself. */
  readonly path: string;
  readonly summary: string;
  readonly options: readonly OptionSpec[];
  readonly subcommands: readonly CommandSpec[];
  /** What its first argument may be, where that is a closed set. */
  readonly choices: readonly string[];
}

export interface OptionSpec {
  /** With its dashes, such as `--json`. */
  readonly flag: string;
  readonly description: string;
  readonly takesValue: boolean;
}

/** Reads the commands and their options off the program, so that completion cannot fall behind it. */
export function describeProgram(program: Command): CommandSpec {
  return describeCommand(program, "", program.options.map(describeOption));
}

/** The command and all below it. */
export function flatten(spec: CommandSpec): CommandSpec[] {
  return [spec, ...spec.subcommands.flatMap(flatten)];
}

/** Every option, on whichever command, that takes a value: the word after it is not an argument. */
export function valueFlags(spec: CommandSpec): string[] {
  const flags = flatten(spec).flatMap(({ options }) => options.filter((option) => option.takesValue));
  return [...new Set(flags.map(({ flag }) => flag))].sort();
}

function describeCommand(command: Command, path: string, inherited: readonly OptionSpec[]): CommandSpec {
  const own = path === "" ? [] : command.options.map(describeOption);
  const help = { flag: "--help", description: "print help", takesValue: false };
  return {
    path,
    summary: command.summary() || command.description(),
    options: [...own, ...inherited.filter(({ flag }) => path === "" || flag !== "--version"), help],
    subcommands: command.commands.map((child) => describeCommand(child, `${path} ${child.name()}`.trim(), inherited)),
    choices: command.registeredArguments[0]?.argChoices ?? [],
  };
}

function describeOption(option: Option): OptionSpec {
  return {
    flag: option.long ?? option.short ?? option.flags,
    description: option.description,
    takesValue: option.required || option.optional,
  };
}

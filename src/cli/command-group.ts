import type { Command } from "commander";
import type { Bind, Configure } from "./define.js";

/** Makes a command of commands: `kvasir bolt check`. `about` follows the help of the group. */
export function configureGroup(
  command: Command,
  bind: Bind,
  about: string,
  commands: readonly (readonly [name: string, summary: string, configure: Configure])[],
): void {
  command.usage("<command> [options]").helpCommand(false).addHelpText("after", about);
  for (const [name, summary, configure] of commands) {
    const sub = command
      .command(name)
      .summary(summary)
      .description(`${summary.charAt(0).toUpperCase()}${summary.slice(1)}.`)
      .showHelpAfterError(`\`kvasir ${command.name()} ${name} --help\` shows how.`);
    configure(sub, bind);
  }
}

import type { Configure } from "../define.js";
import { configureBackup } from "./bolt/backup.js";
import { configureCheck } from "./bolt/check.js";
import { configureCompact } from "./bolt/compact.js";
import { configureDump } from "./bolt/dump.js";
import { configureStats } from "./bolt/stats.js";

export const configure: Configure = (command, bind) => {
  command
    .usage("<command> [options]")
    .helpCommand(false)
    .addHelpText(
      "after",
      `
These work on any BoltDB file, of this program or another, without a store. They open it read-only; while a program has
it open for writing they wait for --timeout and then give up.
`,
    );
  const commands: [name: string, summary: string, Configure][] = [
    ["check", "look for damage", configureCheck],
    ["stats", "show how pages and bytes are used", configureStats],
    ["dump", "print buckets, keys and values as JSON lines", configureDump],
    ["compact", "copy to a new file without free pages", configureCompact],
    ["backup", "copy to a new file, page by page", configureBackup],
  ];
  for (const [name, summary, configureSub] of commands) {
    const sub = command
      .command(name)
      .summary(summary)
      .description(`${summary.charAt(0).toUpperCase()}${summary.slice(1)}.`)
      .showHelpAfterError(`\`kvasir bolt ${name} --help\` shows how.`);
    configureSub(sub, bind);
  }
};

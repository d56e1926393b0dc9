import { configureGroup } from "../command-group.js";
import type { Configure } from "../define.js";
import { configureBackup } from "./bolt/backup.js";
import { configureCheck } from "./bolt/check.js";
import { configureCompact } from "./bolt/compact.js";
import { configureDump } from "./bolt/dump.js";
import { configureStats } from "./bolt/stats.js";

export const configure: Configure = (command, bind) => {
  configureGroup(
    command,
    bind,
    `
These work on any BoltDB file, of this program or another, without a store. They open it read-only; while a program has
it open for writing they wait for --timeout and then give up.
`,
    [
      ["check", "look for damage", configureCheck],
      ["stats", "show how pages and bytes are used", configureStats],
      ["dump", "print buckets, keys and values as JSON lines", configureDump],
      ["compact", "copy to a new file without free pages", configureCompact],
      ["backup", "copy to a new file, page by page", configureBackup],
    ],
  );
};

import type { Configure } from "./define.js";

/** One command as the first help page shows it. Its file is loaded only when it is called. */
export interface CommandEntry {
  readonly name: string;
  readonly summary: string;
  readonly group: string;
  readonly load: () => Promise<{ readonly configure: Configure }>;
}

/** All commands, in the order of the help page. */
export const commandTable: readonly CommandEntry[] = [
  {
    name: "get",
    summary: "print the value of a key",
    group: "Keys:",
    load: () => import("./commands/get.js"),
  },
  {
    name: "put",
    summary: "write a key",
    group: "Keys:",
    load: () => import("./commands/put.js"),
  },
  {
    name: "delete",
    summary: "delete a key, or all keys below a directory",
    group: "Keys:",
    load: () => import("./commands/delete.js"),
  },
  {
    name: "exists",
    summary: "tell whether a key is there",
    group: "Keys:",
    load: () => import("./commands/exists.js"),
  },
  {
    name: "list",
    summary: "print the keys and values below a directory",
    group: "Keys:",
    load: () => import("./commands/list.js"),
  },
  {
    name: "tree",
    summary: "draw the keys below a directory",
    group: "Keys:",
    load: () => import("./commands/tree.js"),
  },
  {
    name: "watch",
    summary: "print each change of a key or a directory",
    group: "Coordination:",
    load: () => import("./commands/watch.js"),
  },
  {
    name: "lock",
    summary: "run a program while holding a lock",
    group: "Coordination:",
    load: () => import("./commands/lock.js"),
  },
  {
    name: "elect",
    summary: "run a program while leading, or tell who leads",
    group: "Coordination:",
    load: () => import("./commands/elect.js"),
  },
  {
    name: "discover",
    summary: "register instances of services, list and watch them",
    group: "Coordination:",
    load: () => import("./commands/discover.js"),
  },
  {
    name: "export",
    summary: "write the keys below a directory as JSON lines",
    group: "Moving data:",
    load: () => import("./commands/export.js"),
  },
  {
    name: "import",
    summary: "write the keys that an export holds",
    group: "Moving data:",
    load: () => import("./commands/import.js"),
  },
  {
    name: "cp",
    summary: "copy keys from one store to another",
    group: "Moving data:",
    load: () => import("./commands/cp.js"),
  },
  {
    name: "status",
    summary: "tell whether a store answers, and what it can do",
    group: "Stores:",
    load: () => import("./commands/status.js"),
  },
  {
    name: "bolt",
    summary: "check, inspect, compact and back up BoltDB files",
    group: "Stores:",
    load: () => import("./commands/bolt.js"),
  },
  {
    name: "completion",
    summary: "print the script that completes commands in a shell",
    group: "Help:",
    load: () => import("./commands/completion.js"),
  },
];

import type { Clock } from "../util/clock.js";
import type { Etcd2Client } from "./client/client.js";
import type { Directories } from "./directories.js";
import type { KeySpace } from "./key-space.js";

/** What every part of the driver works with. */
export interface Cluster {
  readonly client: Etcd2Client;
  readonly keys: KeySpace;
  readonly clock: Clock;
  readonly directories: Directories;
  /** How long a wait may hear nothing before the connection and the server are checked, in milliseconds. */
  readonly watchCheckMs: number;
}

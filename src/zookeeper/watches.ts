import type { UpstreamChange } from "../core/driver.js";
import type { KVPair } from "../core/pair.js";

/** What tells a watch that something changed, in one of the ways that servers know. */
export interface Watches {
  /** Watches the scope from now on; before this resolves nothing that matters is read. */
  arm(): Promise<void>;
  /** The present state, with every node watched that belongs to it. */
  readAll(): Promise<KVPair[]>;
  /** What became of nodes that were reported, watched again. */
  read(paths: readonly string[]): Promise<UpstreamChange[]>;
  disarm(): void;
}

/** What the watches tell. */
export interface WatchesHost {
  /** These nodes are to be read. */
  changed(path: string): void;
  /** Changes may have been missed: everything is to be read. */
  missed(): void;
  /** The server has not got these watches, or not any more. */
  gone(): void;
}

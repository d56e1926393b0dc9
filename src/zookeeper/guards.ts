import type { Stat } from "./client/index.js";
import { guardOf } from "./paths.js";

/** What is known of a guard. */
interface Guard {
  readonly version: number;
  readonly mzxid: bigint;
}

/**
 * ZooKeeper compares versions, and a node that is deleted and created again starts at the same versions. So everything
 * Kvasir creates also raises the version of a guard, one of a few nodes chosen by the path. While a guard has the
 * version it had at transaction `mzxid`, no node it guards was created since: a node that was written at or after `mzxid`
 * then is the same node still, and its version is a fair comparison.
 *
 * Creating is what is counted, not deleting, since a session's end deletes nodes too.
 */
export class Guards {
  readonly #known = new Map<string, Guard>();

  /** A guard was seen like this. */
  learn(guard: string, { version, mzxid }: Stat): void {
    this.#known.set(guard, { version, mzxid });
  }

  /** The version the node's guard must have for a comparison with what was written at `mzxid`, if one is known. */
  versionFor(path: string, mzxid: bigint): number | undefined {
    const guard = this.#known.get(guardOf(path));
    return guard !== undefined && mzxid >= guard.mzxid ? guard.version : undefined;
  }
}

import { isStoreError } from "../core/errors.js";
import type { KVPair } from "../core/pair.js";
import type { Store } from "../core/store.js";

/** The members that passed the barrier together last, by their names; none when there is no round. */
interface Round {
  readonly members: readonly string[];
  readonly pair: KVPair | undefined;
}

/** Reads who passed the barrier together last. */
export async function readRound(store: Store, key: string, signal: AbortSignal): Promise<Round> {
  const pair = await store.get(roundKey(key), { signal });
  return { members: membersIn(pair), pair };
}

/**
 * One barrier's rounds, as the store has them. A round is read before the members are listed: its members were there
 * before it was written, so one that the list lacks has left.
 */
export class BarrierRound {
  readonly #store: Store;
  readonly #key: string;

  constructor(store: Store, key: string) {
    this.#store = store;
    this.#key = key;
  }

  memberKey(member: string): string {
    return `${this.#directory}/${member}`;
  }

  /** The members of the round that `member` is in; begins one when the last is over and enough members are there. */
  async begin(parties: number, member: string, signal: AbortSignal): Promise<readonly string[] | undefined> {
    for (;;) {
      const last = await readRound(this.#store, this.#key, signal);
      if (last.members.includes(member)) return last.members;
      const present = await this.#present(signal);
      if (present.length < parties || last.members.some((each) => present.includes(each))) return undefined;
      const members = present.slice(0, parties);
      try {
        await this.#store.atomicPut(roundKey(this.#key), JSON.stringify({ members }), last.pair, { signal });
      } catch (error) {
        // Another was faster: its round is as good.
        if (!isConflict(error)) throw error;
      }
    }
  }

  /** Whether all of these have left; the first who sees it clears the round away. */
  async isOver(members: readonly string[], signal: AbortSignal): Promise<boolean> {
    const last = await readRound(this.#store, this.#key, signal);
    const present = await this.#present(signal);
    if (members.some((member) => present.includes(member))) return false;
    if (last.pair !== undefined && last.members.join() === members.join()) {
      await this.#store.atomicDelete(roundKey(this.#key), last.pair, { signal }).catch((error: unknown) => {
        if (!isConflict(error)) throw error;
      });
    }
    return true;
  }

  get #directory(): string {
    return `${this.#key}/members`;
  }

  /** Who is there, in the order they came, as far as renewals keep the revision. */
  async #present(signal: AbortSignal): Promise<string[]> {
    const entries = await this.#store.list(this.#directory, { signal });
    const inOrder = entries.toSorted((left, right) => (left.revision < right.revision ? -1 : 1));
    return inOrder.map(({ key }) => key.slice(this.#directory.length + 1));
  }
}

function roundKey(key: string): string {
  return `${key}/round`;
}

/** What is no round of ours counts as none, and is replaced by the next. */
function membersIn(pair: KVPair | undefined): readonly string[] {
  try {
    const { members } = (pair?.json() ?? {}) as { members?: unknown };
    return Array.isArray(members) ? members.map(String) : [];
  } catch {
    return [];
  }
}

function isConflict(error: unknown): boolean {
  return isStoreError(error, "KEY_MODIFIED") || isStoreError(error, "KEY_EXISTS");
}

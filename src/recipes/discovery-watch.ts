import { compareKeys } from "../core/keys.js";
import type { KVPair } from "../core/pair.js";
import type { TreeChange } from "../core/store.js";
import { invalidValue } from "./decode.js";
import type { Instance, ServiceChange } from "./discovery.js";
import { decodeInstance, sameInstance } from "./discovery-entry.js";
import type { InvalidValueError } from "./invalid-value-error.js";

/** The instance of an entry; `undefined`, and reported, when it is none. */
export function readInstance(
  pair: KVPair,
  onInvalid: ((error: InvalidValueError) => void) | undefined,
): Instance | undefined {
  try {
    return decodeInstance(pair);
  } catch (error) {
    onInvalid?.(invalidValue(pair, error));
    return undefined;
  }
}

/** Turns what a tree watch of a service's directory tells into what its readers want to know. */
export class ServiceState {
  readonly #directory: string;
  readonly #onInvalid: ((error: InvalidValueError) => void) | undefined;
  readonly #instances = new Map<string, Instance>();
  #begun = false;

  /** `directory`: that of the service. */
  constructor(directory: string, onInvalid: ((error: InvalidValueError) => void) | undefined) {
    this.#directory = directory;
    this.#onInvalid = onInvalid;
  }

  /** `undefined` when nobody came, went or is another now, as when an entry was put again as it was. */
  take({ changes }: TreeChange): ServiceChange | undefined {
    const joined: Instance[] = [];
    const left: Instance[] = [];
    const changed: Instance[] = [];
    const before = new Map<string, Instance | undefined>();
    for (const change of changes) {
      const id = change.key.slice(this.#directory.length + 1);
      if (id.includes("/")) continue;
      if (!before.has(id)) before.set(id, this.#instances.get(id));
      const instance = change.type === "put" ? readInstance(change.pair, this.#onInvalid) : undefined;
      if (instance === undefined) this.#instances.delete(id);
      else this.#instances.set(id, instance);
    }
    for (const [id, was] of before) {
      const is = this.#instances.get(id);
      if (was === undefined && is !== undefined) joined.push(is);
      else if (was !== undefined && is === undefined) left.push(was);
      else if (was !== undefined && is !== undefined && !sameInstance(was, is)) changed.push(is);
    }
    const first = !this.#begun;
    this.#begun = true;
    if (!first && joined.length + left.length + changed.length === 0) return undefined;
    return { instances: sorted(this.#instances.values()), joined, left, changed };
  }
}

function sorted(instances: Iterable<Instance>): Instance[] {
  return [...instances].sort((left, right) => compareKeys(left.id, right.id));
}

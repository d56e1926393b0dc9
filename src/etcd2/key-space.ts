import { encodeUtf8 } from "../util/bytes.js";
import { compareKeys, isLockKey } from "../core/keys.js";
import { KVPair } from "../core/pair.js";
import type { EtcdNode } from "./client/messages.js";

/** Where keys stand in etcd: canonical key `a/b` at the path `/a/b`, below the store's prefix. */
export class KeySpace {
  readonly #prefix: string;

  /** `prefix` is a canonical directory; `""` is etcd's root. */
  constructor(prefix: string) {
    this.#prefix = prefix === "" ? "" : `/${prefix}`;
  }

  /** The path of a key, or of a directory; `""` is the store's root. */
  path(key: string): string {
    return key === "" ? this.root : `${this.#prefix}/${key}`;
  }

  get root(): string {
    return this.#prefix === "" ? "/" : this.#prefix;
  }

  /** The key at a path; `""` for the store's root and for what lies above it. */
  key(path: string): string {
    return path.slice(this.#prefix.length + 1);
  }

  pair(node: EtcdNode): KVPair {
    return new KVPair(this.key(node.key ?? ""), encodeUtf8(node.value ?? ""), BigInt(node.modifiedIndex));
  }

  /** The keys below a directory as it was read, sorted by their bytes. */
  pairs(directory: EtcdNode): KVPair[] {
    return filesOf(directory)
      .map((node) => this.pair(node))
      .filter(({ key }) => !isLockKey(key))
      .sort((left, right) => compareKeys(left.key, right.key));
  }
}

/** The nodes below a directory that are keys, however deep. */
function filesOf(directory: EtcdNode): EtcdNode[] {
  return (directory.nodes ?? []).flatMap((node) => (node.dir === true ? filesOf(node) : [node]));
}

/** Whether a path lies below another, at any depth. */
export function isPathBelow(path: string, directory: string): boolean {
  const prefix = directory === "/" ? "/" : `${directory}/`;
  return path.length > prefix.length && path.startsWith(prefix);
}

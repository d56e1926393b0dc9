import { isLockKey, lockSuffix, maxKeyBytes } from "../core/keys.js";

// What no server takes in a path (`PathUtils.validatePath`, ZooKeeper 3.9): surrogates, which are halves of characters
// beyond the BMP, the private use area, and U+FFF0 up.
const refusedCharacters = /[\ud800-\uf8ff\ufff0-\uffff]/;

/** Contenders for a lock as go-zookeeper, curator and Kvasir name them (`_c_<id>-lock-<number>`), and as kazoo does. */
const contenderName = /^_c_[0-9a-f-]{32,36}-lock-\d{10}$|^[0-9a-f]{32}__lock__\d{10}$/;

/** Where the nodes lie that count creations: no lock's queue can be there, as no key is empty. */
const guardDirectory = `/${lockSuffix}`;
const guardCount = 256;

/** Where the store's keys lie among ZooKeeper's nodes: key `a/b` at `/a/b`, or at `/prefix/a/b`. */
export class NodePaths {
  /** `""`, or the prefix's path, without a slash at its end. */
  readonly base: string;

  /** `prefix` is canonical; `""` for the whole tree. */
  constructor(prefix: string) {
    this.base = prefix === "" ? "" : `/${prefix}`;
  }

  /** The node of a key, or of a directory; the root's is the prefix's. */
  of(key: string): string {
    return key === "" ? this.base || "/" : `${this.base}/${key}`;
  }

  /** The key of a node below the prefix; `undefined` for what lists do not show, and for the prefix itself. */
  keyOf(path: string): string | undefined {
    if (!path.startsWith(`${this.base}/`)) return undefined;
    const key = path.slice(this.base.length + 1);
    if (key === "" || isLockKey(key) || Buffer.byteLength(key) > maxKeyBytes) return undefined;
    if (this.isReserved(key) || contenderName.test(key.slice(key.lastIndexOf("/") + 1))) return undefined;
    return key;
  }

  /** Whether a child of a node is none of the store's: a lock's machinery, or the server's own tree. */
  isHidden(name: string, parent: string): boolean {
    return (
      (name.includes("lock") && (name.endsWith(lockSuffix) || contenderName.test(name))) ||
      (name === "zookeeper" && parent === "/")
    );
  }

  /** Why the key cannot be stored; `undefined` when it can. */
  refuse(key: string): string | undefined {
    if (refusedCharacters.test(key)) return "ZooKeeper takes no characters U+E000-F8FF, U+FFF0-FFFF or beyond the BMP";
    return this.isReserved(key) ? "ZooKeeper keeps its own configuration at /zookeeper" : undefined;
  }

  isReserved(key: string): boolean {
    return this.base === "" && key.startsWith("zookeeper") && (key.length === 9 || key[9] === "/");
  }
}

/** The path of a child. */
export function childOf(path: string, name: string): string {
  return path === "/" ? `/${name}` : `${path}/${name}`;
}

/** The path of the node above; `undefined` for the root. */
export function parentOf(path: string): string | undefined {
  const at = path.lastIndexOf("/");
  if (at > 0) return path.slice(0, at);
  return path === "/" ? undefined : "/";
}

/** The nodes between the root and this one, from the top; neither of the two. */
export function ancestorsOf(path: string): string[] {
  const ancestors: string[] = [];
  for (let at = path.indexOf("/", 1); at !== -1; at = path.indexOf("/", at + 1)) ancestors.push(path.slice(0, at));
  return ancestors;
}

/** The guard of a node: it depends on the whole path, so that stores with different prefixes share it (FNV-1a). */
export function guardOf(path: string): string {
  let hash = 0x811c9dc5;
  for (let at = 0; at < path.length; at++) hash = Math.imul(hash ^ path.charCodeAt(at), 0x01000193);
  return `${guardDirectory}/guard-${((hash >>> 0) % guardCount).toString(16).padStart(2, "0")}`;
}

export function isGuard(path: string): boolean {
  return path.startsWith(`${guardDirectory}/`);
}

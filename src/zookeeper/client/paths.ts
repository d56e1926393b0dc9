import { BadArgumentsError } from "./error-codes.js";

// What a server accepts (`PathUtils.validatePath`, ZooKeeper 3.9): segments divided by single slashes, none of them `.`
// or `..`, no control characters, and nothing from the surrogates, the private use area or U+FFF0 up.
// oxlint-disable-next-line no-control-regex
const valid = /^\/$|^(?:\/(?!\.{1,2}(?:\/|$))[^/\0-\x1f\x7f-\x9f\ud800-\uf8ff\ufff0-\uffff]+)+$/;

/** The error for a path that no server would accept; undefined for a good one. */
export function pathError(path: string, operation: string): BadArgumentsError | undefined {
  if (valid.test(path)) return undefined;
  const rule = "a path starts with / and has non-empty segments, not . or .., of characters ZooKeeper allows";
  return new BadArgumentsError(`"${path}" is not a path: ${rule}`, { operation, path });
}

/** Throws a `BadArgumentsError` when no server would accept the path. */
export function checkPath(path: string, operation: string): void {
  const error = pathError(path, operation);
  if (error !== undefined) throw error;
}

/** A client's own root: callers see paths below it, servers see them whole. */
export class Chroot {
  /** Empty, or a path without a slash at its end. */
  readonly prefix: string;

  constructor(path = "") {
    if (path !== "" && path !== "/") checkPath(path, "connect");
    this.prefix = path === "/" ? "" : path;
  }

  /** The path as servers know it. */
  add(path: string): string {
    if (this.prefix === "") return path;
    return path === "/" ? this.prefix : this.prefix + path;
  }

  /** The path as callers know it; undefined for one that is not below the chroot. */
  strip(path: string): string | undefined {
    if (this.prefix === "") return path;
    if (path === this.prefix) return "/";
    return path.startsWith(`${this.prefix}/`) ? path.slice(this.prefix.length) : undefined;
  }
}

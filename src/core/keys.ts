import { StoreError } from "./errors.js";

/** The longest key in bytes of UTF-8. */
export const maxKeyBytes = 1_024;

/** Segments that end in this belong to locks and never show in lists. */
export const lockSuffix = "___lock";

/**
 * The canonical form of a key: no leading, trailing or repeated slashes.
 * Throws `INVALID_KEY` for what no backend may store.
 */
export function canonicalKey(key: string): string {
  const canonical = canonicalDirectory(key);
  if (canonical === "") throw invalidKey(key, "a key needs at least one segment");
  return canonical;
}

/** The canonical form of a directory: as a key's, but the root is `""`. */
export function canonicalDirectory(directory: string): string {
  if (typeof directory !== "string") throw new StoreError("INVALID_KEY", `a key is a string, not ${typeof directory}`);
  return isPlain(directory) ? directory : canonicalise(directory);
}

const slash = 0x2f;
const dot = 0x2e;

/**
 * Whether the key surely is canonical already: the quick answer for ordinary keys, which is nearly all of them, in one
 * pass over the characters. Dots after a slash, and a k at the end of a segment (as in `___lock`), get the slow answer.
 */
function isPlain(key: string): boolean {
  const length = key.length;
  if (length === 0) return true;
  if (length > maxKeyBytes) return false;
  let previous = slash;
  for (let at = 0; at < length; at++) {
    const code = key.charCodeAt(at);
    if (code <= 0x20 || code >= 0x7f) return false;
    if (previous === slash && (code === slash || code === dot)) return false;
    if (code === slash && previous === 0x6b) return false;
    previous = code;
  }
  return previous !== slash && previous !== 0x6b;
}

function canonicalise(key: string): string {
  if (!key.isWellFormed()) throw invalidKey(key, "it holds half of a surrogate pair, which UTF-8 cannot carry");
  // oxlint-disable-next-line no-control-regex -- finding control characters is the point
  const control = /[\u0000-\u001f\u007f-\u009f]/.exec(key);
  if (control !== null) {
    const code = control[0].charCodeAt(0).toString(16).toUpperCase().padStart(4, "0");
    throw invalidKey(key, `it holds the control character U+${code}`);
  }
  const segments = key.split("/").filter((segment) => segment !== "");
  for (const segment of segments) {
    if (segment === "." || segment === "..") throw invalidKey(key, `"${segment}" is not allowed as a segment`);
    if (segment.endsWith(lockSuffix)) throw invalidKey(key, `segments that end in "${lockSuffix}" belong to locks`);
  }
  const canonical = segments.join("/");
  const bytes = Buffer.byteLength(canonical);
  if (bytes > maxKeyBytes) throw invalidKey(key, `it is ${bytes} bytes long; the longest key is ${maxKeyBytes} bytes`);
  return canonical;
}

function invalidKey(key: string, why: string): StoreError {
  const shown = key.length > 80 ? `${key.slice(0, 80).toWellFormed()}…` : key.toWellFormed();
  return new StoreError("INVALID_KEY", `not a usable key: ${why}`, { key: shown, outcome: undefined });
}

/** What every key below the directory starts with: `""` for the root. */
export function directoryPrefix(directory: string): string {
  return directory === "" ? "" : `${directory}/`;
}

/** Whether the key lies below the directory, at any depth; a directory is not below itself. */
export function isBelow(key: string, directory: string): boolean {
  return directory === "" ? key !== "" : key.length > directory.length + 1 && key.startsWith(`${directory}/`);
}

/** Whether the key is part of a lock's machinery, which lists and watches never show. */
export function isLockKey(key: string): boolean {
  return key.includes(lockSuffix) && key.split("/").some((segment) => segment.endsWith(lockSuffix));
}

/**
 * The order of keys by their UTF-8 bytes. It differs from the order of JavaScript strings only where surrogate pairs
 * meet U+E000-U+FFFF.
 */
export function compareKeys(left: string, right: string): number {
  const length = Math.min(left.length, right.length);
  for (let at = 0; at < length; at++) {
    const a = left.charCodeAt(at);
    const b = right.charCodeAt(at);
    if (a !== b) return a >= 0xd800 && b >= 0xd800 ? codePointRank(a) - codePointRank(b) : a - b;
  }
  return left.length - right.length;
}

/** Surrogates stand for code points above U+FFFF, so they rank above U+E000-U+FFFF. */
function codePointRank(code: number): number {
  return code >= 0xe000 ? code - 0x800 : code + 0x2000;
}

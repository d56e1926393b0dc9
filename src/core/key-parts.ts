/** Some keys of a directory: all that begin with a prefix, or a single one. */
export interface KeyPart {
  readonly type: "prefix" | "key";
  readonly path: string;
}

/** At the end of a path a segment of dots, which servers take for the directory or the one above. */
const dots = /(?<=^|\/)\.{1,2}$/;

export function holds({ type, path }: KeyPart, key: string): boolean {
  return type === "key" ? key === path : key.startsWith(path);
}

/**
 * Parts that hold these keys, each of them one: those that go on with the same character behind what all have in common are
 * one part, and a key that the others begin with is one by itself. Where these would be more than `most`, there is one part
 * for all.
 */
export function splitKeys(keys: readonly string[], most: number): KeyPart[] {
  const common = keys.reduce(commonPrefix);
  const prefixes = new Set(keys.map((key) => longer(common, key)));
  if (prefixes.size > Math.max(most, 1)) return [{ type: "prefix", path: common }];
  return [...prefixes].map((path) => ({ type: path === common ? "key" : "prefix", path }));
}

/**
 * Where a key belongs that none of these parts holds: `beside` them, in the widest part that has no key in common with any,
 * or `within` the narrowest that also takes in one of them. It takes in all that begin like it.
 */
export function placeOf(
  key: string,
  parts: readonly KeyPart[],
): { readonly beside: KeyPart; readonly within: KeyPart } {
  const shared = parts.map(({ path }) => commonPrefix(path, key)).reduce((a, b) => (b.length > a.length ? b : a));
  const path = longer(shared, key);
  return { beside: { type: path === shared ? "key" : "prefix", path }, within: { type: "prefix", path: shared } };
}

/** What both begin with, in whole characters and without a last segment of dots. */
function commonPrefix(left: string, right: string): string {
  let end = 0;
  while (end < left.length && left[end] === right[end]) end++;
  const common = left.slice(0, end);
  return (common.isWellFormed() ? common : common.slice(0, -1)).replace(dots, "");
}

/** The prefix and one character more of the key, or as many as leave no segment of dots; all of the key where it ends. */
function longer(prefix: string, key: string): string {
  let path = prefix;
  do path = key.slice(0, path.length + ((key.codePointAt(path.length) ?? 0) > 0xffff ? 2 : 1));
  while (dots.test(path));
  return path;
}

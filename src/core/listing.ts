import type { ListPage, ListQuery } from "./driver.js";
import { compareKeys, directoryPrefix } from "./keys.js";
import type { KVPair } from "./pair.js";

/** How many segments a key has below a directory. */
function depthBelow(key: string, prefixLength: number): number {
  let depth = 1;
  for (let at = key.indexOf("/", prefixLength); at !== -1; at = key.indexOf("/", at + 1)) depth++;
  return depth;
}

/** The part of a key that lies within `depth` segments below the directory. */
function cutAt(key: string, prefixLength: number, depth: number): string {
  let end = prefixLength;
  for (let segment = 0; segment < depth; segment++) end = key.indexOf("/", end + (segment === 0 ? 0 : 1));
  return key.slice(0, end);
}

/** The pairs of a page that are not deeper than asked for. */
export function withinDepth(pairs: readonly KVPair[], directory: string, depth: number | undefined): readonly KVPair[] {
  if (depth === undefined) return pairs;
  const from = directoryPrefix(directory).length;
  return pairs.filter((pair) => depthBelow(pair.key, from) <= depth);
}

/**
 * The names of a page: its keys, and where there is a depth, the directories that go deeper, with a slash at their end.
 * Sorted by bytes, each once.
 */
export function namesOf(page: ListPage, directory: string, depth: number | undefined): string[] {
  if (depth === undefined) return page.pairs.map((pair) => pair.key);
  const from = directoryPrefix(directory).length;
  const names = new Set<string>();
  for (const { key } of page.pairs) {
    names.add(depthBelow(key, from) <= depth ? key : `${cutAt(key, from, depth)}/`);
  }
  for (const name of page.directories ?? []) names.add(`${name}/`);
  return [...names].sort(compareKeys);
}

/**
 * Collects entries from pages until there are `limit` of them or no more pages. `ask` fetches a page, `entriesOf` says
 * what in it counts; an entry that a page shares with the one before counts once.
 */
export async function collect<Entry>(
  query: ListQuery,
  limit: number | undefined,
  ask: (query: ListQuery) => Promise<ListPage>,
  entriesOf: (page: ListPage) => readonly Entry[],
): Promise<Entry[]> {
  let page = await ask(query);
  const first = entriesOf(page);
  if (page.next === undefined) return limit === undefined || first.length <= limit ? [...first] : first.slice(0, limit);
  const entries = new Set(first);
  const wanted = limit ?? Number.POSITIVE_INFINITY;
  while (page.next !== undefined && entries.size < wanted) {
    page = await ask({ ...query, from: page.next });
    for (const entry of entriesOf(page)) entries.add(entry);
  }
  return [...entries].slice(0, limit);
}

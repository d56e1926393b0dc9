import type { ListPage, ListQuery } from "./driver.js";
import { compareKeys, directoryPrefix } from "./keys.js";
import { defaults } from "./options.js";
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
 * Collects entries from pages until there are as many as the query wants or no more pages. `ask` fetches a page,
 * `entriesOf` says what in it counts; a name at the end of a page and at the start of the next counts once.
 */
export async function collect<Entry>(
  query: ListQuery,
  ask: (query: ListQuery) => Promise<ListPage>,
  entriesOf: (page: ListPage) => readonly Entry[],
): Promise<Entry[]> {
  const wanted = query.limit ?? Number.POSITIVE_INFINITY;
  // Where deeper keys are cut away, pages of `limit` entries could take many round trips to fill.
  const limit =
    query.limit !== undefined && query.depth !== undefined ? Math.max(wanted, defaults.scanPageSize) : query.limit;
  const entries: Entry[] = [];
  let from: unknown;
  do {
    const page = await ask({ ...query, limit, from });
    if (from === undefined && page.next === undefined) {
      const all = entriesOf(page);
      return all.slice(0, Math.min(wanted, all.length));
    }
    for (const entry of entriesOf(page)) if (entry !== entries.at(-1)) entries.push(entry);
    from = page.next;
  } while (from !== undefined && entries.length < wanted);
  return entries.length > wanted ? entries.slice(0, wanted) : entries;
}

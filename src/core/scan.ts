import type { ListPage, ListQuery } from "./driver.js";
import { withinDepth } from "./listing.js";
import type { KVPair } from "./pair.js";

/** The pairs of a scan, a page ahead of the consumer at the most. Each iteration begins anew. */
export function scanPages(
  query: ListQuery,
  pageSize: number,
  ask: (query: ListQuery) => Promise<ListPage>,
): AsyncIterable<KVPair> {
  return {
    async *[Symbol.asyncIterator]() {
      let left = query.limit ?? Number.POSITIVE_INFINITY;
      let from: unknown;
      do {
        const page = await ask({ ...query, limit: Math.min(pageSize, left), from });
        for (const pair of withinDepth(page.pairs, query.directory, query.depth)) {
          yield pair;
          if (--left === 0) return;
        }
        from = page.next;
      } while (from !== undefined);
    },
  };
}

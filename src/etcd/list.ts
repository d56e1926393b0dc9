import type { ListPage, ListQuery, Request } from "../core/driver.js";
import { KVPair } from "../core/pair.js";
import { pooledCopy } from "../util/bytes.js";
import { EtcdError, type RangeResponse } from "./client/index.js";
import type { Cluster } from "./cluster.js";
import { keyAfter } from "./key-space.js";

/** Where the next page starts, and the revision whose state all pages show. */
interface Place {
  readonly key: Uint8Array;
  readonly revision: bigint;
  /** How many keys make a page, where nobody said. */
  readonly pageSize: number;
}

const firstPageSize = 1_000;
const largestPageSize = 20_000;
/** What a page should weigh, in bytes. */
const pageBytes = 4 * 1024 * 1024;

/**
 * How many pages are read at once from the second on. To etcd the cost of a page grows with all keys behind it, which it
 * counts: a million keys in pages of a thousand would take it minutes.
 */
const pagesAhead = 16;

/** Pairs that were read ahead, and where the server goes on. */
class Ahead {
  readonly #pairs: readonly KVPair[];
  readonly #at: number;
  readonly #then: unknown;

  constructor(pairs: readonly KVPair[], at: number, then: unknown) {
    this.#pairs = pairs;
    this.#at = at;
    this.#then = then;
  }

  page(limit: number): ListPage {
    const end = this.#at + limit;
    const next = end < this.#pairs.length ? new Ahead(this.#pairs, end, this.#then) : this.#then;
    return { pairs: this.#pairs.slice(this.#at, end), next };
  }
}

/** One page of a directory. The first page's revision pins the others. */
export async function listPage(cluster: Cluster, query: ListQuery, request: Request): Promise<ListPage> {
  const { limit } = query;
  if (limit !== undefined && query.from instanceof Ahead) return query.from.page(limit);
  const place = query.from as Place | undefined;
  const size = limit !== undefined && place !== undefined ? readAhead(limit, place) : limit;
  const { page } = await readPage(cluster, { ...query, limit: size }, request);
  return limit === undefined ? page : new Ahead(page.pairs, 0, page.next).page(limit);
}

function readAhead(limit: number, { pageSize }: Place): number {
  return Math.max(limit, Math.min(limit * pagesAhead, pageSize));
}

/** A page, with the revision it shows and the youngest revision of a key in it, hidden keys included. */
export async function readPage(
  cluster: Cluster,
  query: ListQuery,
  request: Request,
): Promise<{ page: ListPage; revision: bigint; newest: bigint }> {
  const { directory, keysOnly } = query;
  const from = query.from as Place | undefined;
  const range = cluster.keys.below(directory);
  const limit = query.limit ?? from?.pageSize ?? firstPageSize;
  const ask = (revision: bigint) =>
    cluster.reading(request, async (bounds) =>
      cluster.client.kv.range(
        {
          ...range,
          key: from?.key ?? range.key,
          limit: BigInt(limit),
          revision,
          keysOnly,
          serializable: query.consistency === "stale",
        },
        bounds,
      ),
    );
  let pinned = from?.revision ?? 0n;
  let answer: RangeResponse;
  try {
    answer = await ask(pinned);
  } catch (error) {
    if (pinned === 0n || !isRevisionGone(error)) throw error;
    // Compacted while the list was read: it goes on from its last key, in the state of now.
    pinned = 0n;
    answer = await ask(pinned);
  }
  const revision = pinned === 0n ? answer.header!.revision : pinned;
  const pairs: KVPair[] = [];
  let bytes = 0;
  let newest = 0n;
  for (const kv of answer.kvs) {
    bytes += kv.key.length + kv.value.length;
    if (kv.modRevision > newest) newest = kv.modRevision;
    const key = cluster.keys.decode(kv.key);
    if (key !== undefined) pairs.push(new KVPair(key, pooledCopy(kv.value), kv.modRevision));
  }
  const last = answer.kvs.at(-1);
  if (!answer.more || last === undefined) return { page: { pairs }, revision, newest };
  const pageSize = Math.ceil(Math.min(pageBytes / (bytes / answer.kvs.length), largestPageSize));
  const next: Place = { key: keyAfter(last.key), revision, pageSize };
  return { page: { pairs, next }, revision, newest };
}

/** The revision was compacted away, or, on a member that lags or lost its data, has not come yet. */
function isRevisionGone(error: unknown): boolean {
  const cause = error instanceof Error ? error.cause : undefined;
  return cause instanceof EtcdError && (cause.reason === "compacted" || cause.etcdMessage.includes("future revision"));
}

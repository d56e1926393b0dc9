import { Backoff } from "../util/backoff.js";
import type { Clock } from "../util/clock.js";
import { sleep } from "../util/sleep.js";
import type { DriverHost, Upstream, WatchScope, WatchSink } from "../core/driver.js";
import { isStoreError } from "../core/errors.js";
import { directoryPrefix } from "../core/keys.js";
import type { KVPair } from "../core/pair.js";
import type { ConsulHttp } from "./client/http.js";
import { storeError } from "./errors.js";
import { keyPath, pairsOf } from "./pairs.js";

/** How long a blocking query waits on the server, in milliseconds. */
const waitMs = 60_000;
/** The agent adds up to wait/16, and the network its own: a query that takes longer is dead. */
const queryTimeoutMs = waitMs + waitMs / 16 + 5_000;
/** The least time between two queries of one watch, in milliseconds: a key that changes all the time is read so often. */
const spacingMs = 10;

/** What watches need of their store. */
export interface ConsulWatchHost {
  readonly http: ConsulHttp;
  readonly clock: Clock;
  readonly host: () => DriverHost | undefined;
}

/**
 * One blocking query after the other on a key or a prefix. Each answer is the whole state, handed on as a snapshot: the
 * core finds the difference, so that nothing is missed whatever happened in between.
 */
export function watchScope({ http, clock, host }: ConsulWatchHost, scope: WatchScope, sink: WatchSink): Upstream {
  const closed = new AbortController();
  let refreshed = new AbortController();
  let index = 0;

  const query = async (): Promise<void> => {
    const blocking = index !== 0;
    const reply = await http.request({
      method: "GET",
      path: keyPath(http, scope.type === "key" ? scope.path : directoryPrefix(scope.path)),
      query: {
        ...(scope.type === "tree" ? { recurse: "" } : {}),
        ...(blocking ? { index: String(index), wait: `${waitMs}ms` } : { consistent: "" }),
      },
      deadline: clock.now() + (blocking ? queryTimeoutMs : 10_000),
      signal: AbortSignal.any([closed.signal, refreshed.signal]),
      blocking,
      accept: [404],
    });
    // An index that goes backward, or is 0, belongs to another life of the servers' data: read everything anew.
    const unchanged = blocking && reply.index === index;
    index = reply.index < index ? 0 : reply.index;
    if (!unchanged && !closed.signal.aborted)
      sink.snapshot(pairsWithin(scope, pairsOf(http, reply.status === 404 ? "" : reply.body)));
  };

  const run = async (): Promise<void> => {
    const backoff = new Backoff({ initialMs: 50, maximumMs: 5_000 });
    while (!closed.signal.aborted) {
      try {
        await query();
        backoff.reset();
        await sleep(spacingMs, { clock, signal: closed.signal });
      } catch (error) {
        if (closed.signal.aborted) return;
        if (refreshed.signal.aborted) {
          refreshed = new AbortController();
          index = 0;
          continue;
        }
        const explained = storeError(error, false);
        if (isStoreError(explained, "PERMISSION_DENIED") || isStoreError(explained, "UNAUTHENTICATED")) {
          sink.fail(explained);
          return;
        }
        if (isStoreError(explained, "UNREACHABLE")) host()?.suspended(explained);
        index = 0;
        await sleep(backoff.next(), { clock, signal: closed.signal }).catch(() => {});
      }
    }
  };
  run().catch(() => {});
  return { refresh: () => refreshed.abort(), close: () => closed.abort() };
}

/** A key's own pair; of a tree all there are. */
function pairsWithin(scope: WatchScope, pairs: KVPair[]): KVPair[] {
  return scope.type === "tree" ? pairs : pairs.filter(({ key }) => key === scope.path);
}

import { expect } from "vitest";
import type { Store } from "../../../src/core/store.js";
import type { TcpProxy } from "../../servers/index.js";

/**
 * A contender that gives up, and one whose store closes, while the server's answer to its first request is on its way:
 * what that request made there is gone afterwards. `made` tells what of the contender's the server has.
 */
export async function leavesNothingBegun(store: Store, proxy: TcpProxy, made: () => Promise<unknown[]>): Promise<void> {
  const gaveUp = new AbortController();
  const endings = [
    { signal: gaveUp.signal, end: async () => gaveUp.abort(new Error("enough")) },
    { signal: undefined, end: () => store.close() },
  ];
  for (const { signal, end } of endings) {
    const held = proxy.holdReplies();
    const waiting = store.newLock("lock", { ttlMs: 60_000 }).lock({ signal });
    const refused = expect(waiting).rejects.toThrow(/enough|closed/);
    await held.arrived();
    expect(await made()).toHaveLength(1);
    const ended = end();
    proxy.resume();
    await Promise.all([ended, refused]);
    expect(await made()).toEqual([]);
  }
}

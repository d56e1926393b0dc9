import assert from "node:assert/strict";
import { hasText, rejects } from "../assertions.js";
import type { CaseGroup } from "../case.js";
import { nextItem, passInSteps } from "../steps.js";

export const keepAlive: CaseGroup = {
  name: "keepAlive",
  waits: true,
  cases: {
    "a key outlives its ttl many times while its writer lives": async (context) => {
      const { store, timing, capabilities } = context;
      const options = { ttlMs: timing.ttlMs, keepAlive: true };
      const pair = await store.put("put", "1", options);
      assert.ok(pair.ttlMs! >= timing.ttlMs);
      await store.atomicPut("cas", "1", undefined, options);
      await store.update("update", () => "1", options);
      await store.atomic().put("atomic", "1", options).commit();
      await passInSteps(context, pair.ttlMs! * 3.5);
      for (const key of ["put", "cas", "update", "atomic"]) hasText(await store.get(key), "1", key);
      const { revision } = (await store.get("put"))!;
      const kept = revision === pair.revision;
      assert.equal(
        kept,
        capabilities.ttl.renewalKeepsRevision,
        `revision ${pair.revision} is ${revision} after renewals`,
      );
    },
    "close() ends it and the key goes": async (context) => {
      const { store, another, timing, within } = context;
      const writer = await another();
      await writer.put("k", "1", { ttlMs: Math.max(timing.ttlMs, 30_000), keepAlive: true });
      const watching = store.watch("k")[Symbol.asyncIterator]();
      hasText(await nextItem(context, watching, "the key"), "1");
      await writer.close();
      assert.equal(await store.exists("k"), false, "the key is there after close()");
      assert.equal((await within(watching.next(), "the watch to tell of it")).value, undefined);
      await watching.return?.();
    },
    "a delete ends it": async (context) => {
      const { store, another, timing } = context;
      const other = await another();
      await store.put("own", "1", { ttlMs: timing.ttlMs, keepAlive: true });
      await store.put("others", "1", { ttlMs: timing.ttlMs, keepAlive: true });
      await store.delete("own");
      await other.delete("others");
      await passInSteps(context, timing.ttlMs * 2.5);
      assert.deepEqual(await store.keys(""), [], "keepAlive brought a deleted key back");
    },
    "an overwrite ends it and is left alone": async (context) => {
      const { store, another, timing } = context;
      const [writer, other] = [await another(), await another()];
      const options = { ttlMs: timing.ttlMs, keepAlive: true };
      await writer.put("own", "1", options);
      await writer.put("others", "1", options);
      await writer.put("own", "2");
      await other.put("others", "2");
      await passInSteps(context, timing.ttlMs * 2.5);
      await writer.close();
      await passInSteps(context, timing.ttlMs * 1.5);
      hasText(await store.get("own"), "2");
      hasText(await store.get("others"), "2", "another's value");
    },
    "an overwrite with a plain ttl lets the key go": async (context) => {
      const { store, timing, within } = context;
      await store.put("k", "1", { ttlMs: timing.ttlMs, keepAlive: true });
      const pair = await store.put("k", "2", { ttlMs: timing.ttlMs });
      const watching = store.watch("k")[Symbol.asyncIterator]();
      hasText(await nextItem(context, watching, "the key"), "2");
      const gone = watching.next();
      await timing.advance?.(pair.ttlMs! + 10);
      assert.equal((await within(gone, "the key to expire", pair.ttlMs)).value, undefined);
      await watching.return?.();
    },
    "needs a ttl": async ({ store }) => {
      await rejects(() => store.put("k", "1", { keepAlive: true }), {
        code: "INVALID_ARGUMENT",
        outcome: "not-applied",
      });
      await rejects(() => store.atomicPut("k", "1", undefined, { keepAlive: true }), "INVALID_ARGUMENT");
      await rejects(async () => store.atomic().put("k", "1", { keepAlive: true }).commit(), "INVALID_ARGUMENT");
      assert.equal(await store.exists("k"), false);
    },
  },
};

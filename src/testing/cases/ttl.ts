import assert from "node:assert/strict";
import type { Store } from "../../core/store.js";
import { hasText, rejects } from "../assertions.js";
import type { CaseContext, CaseGroup } from "../case.js";
import { nextItem, passInSteps } from "../steps.js";

/**
 * Waits, with a watch, until the key is gone, and checks that it stayed its ttl. `sentAt` is when its last put was
 * called, by `performance.now()`; a hand-turned clock is turned to just before and then past the end.
 */
async function expires(
  context: CaseContext,
  key: string,
  put: { ttlMs: number; sentAt: number },
  { by = context.store, factor = 1 }: { by?: Store; factor?: number } = {},
): Promise<void> {
  const { timing } = context;
  const watching = by.watch(key)[Symbol.asyncIterator]();
  if (timing.advance === undefined) {
    let state = await nextItem(context, watching, `the state of ${key}`);
    while (state !== undefined) {
      const item = await context.within(watching.next(), `${key} to expire`, put.ttlMs * factor);
      state = item.value;
    }
    const stayedMs = performance.now() - put.sentAt;
    // Timers and the clock round to a millisecond each.
    assert.ok(stayedMs >= put.ttlMs - 2, `${key} stayed ${stayedMs} ms, less than its ttl of ${put.ttlMs} ms`);
  } else {
    assert.notEqual(await nextItem(context, watching, `the state of ${key}`), undefined, `${key} is gone at once`);
    await timing.advance(put.ttlMs * 0.9);
    assert.equal(await by.exists(key), true, `${key} is gone before its ttl`);
    await timing.advance(put.ttlMs * (0.2 + factor - 1));
    assert.equal(await nextItem(context, watching, `${key} to expire`), undefined);
  }
  await watching.return?.();
  assert.equal(await by.exists(key), false, `the watch says that ${key} is gone, exists() that it is there`);
}

export const ttl: CaseGroup = {
  name: "ttl",
  waits: true,
  cases: {
    "a key stays its ttl and then goes": async (context) => {
      const { store, timing } = context;
      const sentAt = performance.now();
      const pair = await store.put("k", "1", { ttlMs: timing.ttlMs });
      assert.ok(pair.ttlMs !== undefined && pair.ttlMs >= timing.ttlMs, `pair.ttlMs is ${pair.ttlMs}`);
      hasText(await store.get("k"), "1");
      await expires(context, "k", { ttlMs: pair.ttlMs, sentAt });
      assert.equal(await store.get("k"), undefined);
      assert.deepEqual(await store.keys(""), []);
      assert.equal(await store.delete("k"), false);
    },
    "a tree watch is told of the end": async (context) => {
      const { store, timing, within } = context;
      const pair = await store.put("d/k", "1", { ttlMs: timing.ttlMs });
      const watching = store.watchTree("d")[Symbol.asyncIterator]();
      assert.equal((await nextItem(context, watching, "the whole tree")).pairs.length, 1);
      const next = within(watching.next(), "the end of the key", pair.ttlMs);
      await passInSteps(context, pair.ttlMs! + 10);
      const { changes, pairs } = (await next).value;
      assert.deepEqual(pairs, []);
      assert.equal(changes.length, 1);
      assert.equal(changes[0].type, "delete");
      assert.equal(changes[0].key, "d/k");
      hasText(changes[0].previous, "1");
      await watching.return?.();
    },
    "a later put with a ttl starts it again": async (context) => {
      const { store, timing } = context;
      const first = await store.put("k", "1", { ttlMs: timing.ttlMs });
      await passInSteps(context, first.ttlMs! * 0.7);
      const sentAt = performance.now();
      const second = await store.put("k", "2", { ttlMs: timing.ttlMs });
      await expires(context, "k", { ttlMs: second.ttlMs!, sentAt });
    },
    "a later write without it makes the key permanent": async (context) => {
      const { store, timing } = context;
      const keys = ["put", "cas", "update", "atomic"];
      for (const key of keys) await store.put(key, "1", { ttlMs: timing.ttlMs });
      assert.equal((await store.put("put", "2")).ttlMs, undefined);
      await store.atomicPut("cas", "2", await store.get("cas"));
      await store.update("update", () => "2");
      await store.atomic().put("atomic", "2").commit();
      await passInSteps(context, timing.ttlMs * 2.5);
      for (const key of keys) hasText(await store.get(key), "2", key);
    },
    "another store's write without it makes the key permanent": async (context) => {
      const { store, another, timing } = context;
      await store.put("k", "1", { ttlMs: timing.ttlMs });
      await (await another()).put("k", "2");
      await passInSteps(context, timing.ttlMs * 2.5);
      hasText(await store.get("k"), "2");
    },
    "a key deleted and put again does not expire with the first": async (context) => {
      const { store, timing } = context;
      await store.put("k", "same", { ttlMs: timing.ttlMs });
      await store.delete("k");
      await store.put("k", "same");
      await passInSteps(context, timing.ttlMs * 2.5);
      hasText(await store.get("k"), "same");
    },
    "atomicPut, update and atomic take a ttl": async (context) => {
      const { store, timing, capabilities } = context;
      const { ttlMs } = timing;
      const sentAt = performance.now();
      const created = await store.atomicPut("cas", "1", undefined, { ttlMs });
      const updated = await store.update("update", () => "1", { ttlMs });
      const transaction = store.atomic().put("atomic", "1", { ttlMs });
      if (capabilities.atomic.acrossKeys) transaction.put("permanent", "1");
      else await store.put("permanent", "1");
      const [committed] = await transaction.commit();
      for (const pair of [created, updated, committed])
        assert.ok(pair!.ttlMs! >= ttlMs, `pair.ttlMs is ${pair!.ttlMs}`);
      for (const pair of [created, updated, committed]) hasText(await store.get(pair!.key), "1", pair!.key);
      await passInSteps(context, created.ttlMs! * 1.2);
      for (const pair of [created, updated, committed]) {
        if (await store.exists(pair!.key))
          await expires(context, pair!.key, { ttlMs: pair!.ttlMs!, sentAt: sentAt - 1e9 });
      }
      hasText(await store.get("permanent"), "1");
    },
    "what expired is modified to those who read it, and absent to others": async (context) => {
      const { store, timing } = context;
      const sentAt = performance.now();
      const pair = await store.put("k", "1", { ttlMs: timing.ttlMs });
      await expires(context, "k", { ttlMs: pair.ttlMs!, sentAt });
      await rejects(() => store.atomicPut("k", "2", pair), { code: "KEY_MODIFIED", key: "k" });
      await rejects(() => store.atomicDelete("k", pair), { code: "KEY_MODIFIED", key: "k" });
      const again = await store.atomicPut("k", "2", undefined);
      assert.ok(again.revision > pair.revision);
      hasText(await store.get("k"), "2");
    },
    "the key outlives its writer where the capabilities say so, and goes then": async (context) => {
      const { store, another, timing, capabilities } = context;
      const writer = await another();
      const sentAt = performance.now();
      const pair = await writer.put("k", "1", { ttlMs: timing.ttlMs });
      await writer.close();
      const { outlivesWriter, lateByFactor } = capabilities.ttl;
      if (outlivesWriter) {
        hasText(await store.get("k"), "1");
        await expires(context, "k", { ttlMs: pair.ttlMs!, sentAt }, { factor: lateByFactor });
      } else {
        const watching = store.watch("k")[Symbol.asyncIterator]();
        const gone = (async () => {
          while ((await watching.next()).value !== undefined);
        })();
        await timing.advance?.(pair.ttlMs! * (lateByFactor + 0.2));
        await context.within(gone, "the key to go with its writer", pair.ttlMs! * lateByFactor);
        await watching.return?.();
      }
    },
    "keys that expire together all go": async (context) => {
      const { store, timing } = context;
      const keys = Array.from({ length: 20 }, (_, at) => `many/${at}`);
      const sentAt = performance.now();
      const pairs = await Promise.all(keys.map((key) => store.put(key, "1", { ttlMs: timing.ttlMs })));
      await store.put("many/permanent", "1");
      assert.equal((await store.keys("many")).length, 21);
      await expires(context, "many/19", { ttlMs: pairs[19]!.ttlMs!, sentAt });
      const watching = store.watchTree("many")[Symbol.asyncIterator]();
      let left = (await nextItem(context, watching, "the tree")).pairs.length;
      while (left > 1) left = (await nextItem(context, watching, "the others to expire")).pairs.length;
      await watching.return?.();
      assert.deepEqual(await store.keys("many"), ["many/permanent"]);
    },
    "keys below a key with a ttl work where the capabilities say so": async ({ store, capabilities, timing }) => {
      await store.put("d", "short-lived", { ttlMs: timing.ttlMs });
      if (capabilities.keys.withChildren === "always") await store.put("d/k", "below");
      else await rejects(() => store.put("d/k", "below"), { code: "NOT_SUPPORTED", outcome: "not-applied" });
      assert.equal(await store.exists("d/k"), capabilities.keys.withChildren === "always");
    },
    "a short ttl is raised and the pair says so": async ({ store, capabilities }) => {
      const { minimumMs, maximumMs, granularityMs } = capabilities.ttl;
      const { ttlMs } = await store.put("k", "1", { ttlMs: 1 });
      assert.ok(ttlMs !== undefined && ttlMs >= Math.max(1, minimumMs) && ttlMs <= maximumMs, `pair.ttlMs is ${ttlMs}`);
      assert.equal(ttlMs % granularityMs, 0, `${ttlMs} ms is no multiple of ${granularityMs}`);
      const long = await store.put("k", "2", { ttlMs: Math.min(maximumMs, minimumMs * 3 + 1) });
      assert.ok(long.ttlMs! >= Math.min(maximumMs, minimumMs * 3 + 1));
    },
    "refuses what is no ttl, or one that is too long": async ({ store, capabilities }) => {
      const bad = [0, -1, Number.NaN, Number.POSITIVE_INFINITY, "1000", capabilities.ttl.maximumMs + 1];
      for (const each of bad) {
        const ttlMs = each as number;
        await rejects(() => store.put("k", "1", { ttlMs }), { code: "INVALID_ARGUMENT", outcome: "not-applied" });
        await rejects(() => store.atomicPut("k", "1", undefined, { ttlMs }), "INVALID_ARGUMENT");
        await rejects(() => store.update("k", () => "1", { ttlMs }), "INVALID_ARGUMENT");
        await rejects(async () => store.atomic().put("k", "1", { ttlMs }).commit(), "INVALID_ARGUMENT");
      }
      assert.equal(await store.exists("k"), false);
    },
  },
};

import assert from "node:assert/strict";
import type { KVPair } from "../../core/pair.js";
import { hasText } from "../assertions.js";
import type { CaseGroup } from "../case.js";
import { nextItem as next, putBeside } from "../steps.js";

function open(pairs: AsyncIterable<KVPair | undefined>): AsyncIterator<KVPair | undefined> {
  return pairs[Symbol.asyncIterator]();
}

export const watch: CaseGroup = {
  name: "watch",
  cases: {
    "shows the current state first": async (context) => {
      const { store } = context;
      const { revision } = await store.put("k", "1");
      const watching = open(store.watch("k"));
      assert.equal(hasText(await next(context, watching, "the current state"), "1").revision, revision);
      await watching.return?.();
    },
    "shows undefined first for an absent key, then its creation": async (context) => {
      const { store } = context;
      const watching = open(store.watch("not/yet"));
      assert.equal(await next(context, watching, "absence"), undefined);
      const { revision } = await store.put("not/yet", "1");
      const created = hasText(await next(context, watching, "the creation"), "1");
      assert.equal(created.key, "not/yet");
      assert.equal(created.revision, revision);
      await watching.return?.();
    },
    "shows each new state of a consumer that keeps up": async (context) => {
      const { store, another } = context;
      const other = await another();
      const watching = open(store.watch("k"));
      assert.equal(await next(context, watching, "absence"), undefined);
      for (let round = 0; round < 5; round++) {
        await (round % 2 === 0 ? store : other).put("k", `${round}`);
        hasText(await next(context, watching, `write ${round}`), `${round}`);
      }
      await watching.return?.();
    },
    "shows deletion and recreation": async (context) => {
      const { store } = context;
      const first = await store.put("k", "same");
      const watching = open(store.watch("k"));
      hasText(await next(context, watching, "the current state"), "same");
      await store.delete("k");
      assert.equal(await next(context, watching, "the deletion"), undefined);
      await store.put("k", "same");
      const again = hasText(await next(context, watching, "the recreation"), "same");
      assert.ok(again.revision > first.revision);
      const read = (await store.get("k"))!;
      await store.atomicDelete("k", read);
      assert.equal(await next(context, watching, "the second deletion"), undefined);
      await watching.return?.();
    },
    "shows writes of every kind": async (context) => {
      const { store } = context;
      const watching = open(store.watch("dir/k"));
      assert.equal(await next(context, watching, "absence"), undefined);
      const created = await store.atomicPut("dir/k", "atomicPut", undefined);
      hasText(await next(context, watching, "atomicPut"), "atomicPut");
      await store.atomicPut("dir/k", "over it", created);
      hasText(await next(context, watching, "the second atomicPut"), "over it");
      await store.update("dir/k", () => "update");
      hasText(await next(context, watching, "update"), "update");
      await store.atomic().put("dir/k", "atomic").commit();
      hasText(await next(context, watching, "atomic"), "atomic");
      await store.deleteTree("dir");
      assert.equal(await next(context, watching, "deleteTree"), undefined);
      await watching.return?.();
    },
    "shows a write with an equal value": async (context) => {
      const { store } = context;
      const first = await store.put("k", "same");
      const watching = open(store.watch("k"));
      await next(context, watching, "the current state");
      const second = await store.put("k", "same");
      assert.equal((await next(context, watching, "the second write"))?.revision, second.revision);
      assert.notEqual(second.revision, first.revision);
      await watching.return?.();
    },
    "shows an empty value as a value": async (context) => {
      const { store } = context;
      const watching = open(store.watch("k"));
      assert.equal(await next(context, watching, "absence"), undefined);
      await store.put("k", "");
      hasText(await next(context, watching, "the empty value"), "");
      await store.delete("k");
      assert.equal(await next(context, watching, "the deletion"), undefined);
      await watching.return?.();
    },
    "never shows other keys": async (context) => {
      const { store, capabilities } = context;
      const watching = open(store.watch("a/b"));
      assert.equal(await next(context, watching, "absence"), undefined);
      await store.put("a/bb", "sibling");
      await store.put("a", "1").catch(() => undefined);
      await putBeside(store, capabilities, "a/b/c", "below").catch(() => undefined);
      await store.deleteTree("a/b");
      await store.put("a/b", "itself");
      hasText(await next(context, watching, "the write of the key itself"), "itself");
      await watching.return?.();
    },
    "a second watcher gets the current state": async (context) => {
      const { store } = context;
      await store.put("k", "1");
      const first = open(store.watch("k"));
      hasText(await next(context, first, "the current state"), "1");
      await store.put("k", "2");
      hasText(await next(context, first, "the write"), "2");
      const second = open(store.watch("k"));
      hasText(await next(context, second, "the current state, to the second watcher"), "2");
      await store.put("k", "3");
      hasText(await next(context, first, "the third state"), "3");
      hasText(await next(context, second, "the third state, to the second watcher"), "3");
      await first.return?.();
      await store.put("k", "4");
      hasText(await next(context, second, "the fourth state, after the first watcher left"), "4");
      await second.return?.();
    },
    "sees every write acknowledged before it began": async (context) => {
      const { store, another } = context;
      const other = await another();
      const early = open(store.watch("k"));
      await next(context, early, "absence");
      for (let round = 0; round < 20; round++) {
        await other.put("k", `${round}`);
        const late = open(store.watch("k"));
        hasText(await next(context, late, `write ${round} as the first state`), `${round}`);
        await late.return?.();
      }
      await early.return?.();
    },
    "revisions only grow, and the latest state arrives": async (context) => {
      const { store, another, within } = context;
      const other = await another();
      const seen: bigint[] = [];
      const watching = open(store.watch("k"));
      await next(context, watching, "absence");
      const writers = [store, other].map(async (writer, at) => {
        for (let round = 0; round < 30; round++) await writer.put("k", `${at} ${round}`);
      });
      const reading = (async () => {
        for (;;) {
          const pair = (await watching.next()).value;
          if (pair === undefined) continue;
          seen.push(pair.revision);
          if (pair.text() === "the last") return;
        }
      })();
      await Promise.all(writers);
      await store.put("k", "the last");
      await within(reading, "the latest state");
      for (let at = 1; at < seen.length; at++)
        assert.ok(seen[at]! > seen[at - 1]!, `${seen[at]} after ${seen[at - 1]}`);
      await watching.return?.();
    },
    "conflates for a slow consumer, and the latest state arrives": async (context) => {
      const { store } = context;
      const watching = open(store.watch("k"));
      await next(context, watching, "absence");
      await Promise.all(Array.from({ length: 300 }, (_, round) => store.put("k", `${round}`)));
      const last = await store.get("k");
      let items = 0;
      let state: KVPair | undefined;
      while (state?.revision !== last!.revision) {
        state = await next(context, watching, "the latest state");
        items++;
      }
      assert.ok(items <= 300);
      await store.delete("k");
      assert.equal(await next(context, watching, "the deletion"), undefined);
      await watching.return?.();
    },
    "hands out bytes that are the caller's own": async (context) => {
      const { store } = context;
      await store.put("k", "untouched");
      const first = open(store.watch("k"));
      const second = open(store.watch("k"));
      (await next(context, first, "the current state"))!.value.fill(0);
      hasText(await next(context, second, "the current state, to another watcher"), "untouched");
      await store.put("k", "changed");
      const [left, right] = [await next(context, first, "a change"), await next(context, second, "a change")];
      left!.value.fill(0);
      hasText(right, "changed");
      hasText(await store.get("k"), "changed");
      await first.return?.();
      await second.return?.();
    },
    "many at once work": async (context) => {
      const { store, within } = context;
      const watches = Array.from({ length: 50 }, (_, at) => open(store.watch(`many/${at % 10}`)));
      await Promise.all(watches.map((each) => within(each.next(), "the first state")));
      const pending = watches.map((each) => each.next());
      await Promise.all(Array.from({ length: 10 }, (_, at) => store.put(`many/${at}`, `${at}`)));
      const states = await within(Promise.all(pending), "every watcher to be told");
      assert.deepEqual(
        states.map((each) => each.value?.text()),
        watches.map((_, at) => `${at % 10}`),
      );
      await Promise.all(watches.map(async (each) => each.return?.()));
    },
  },
};

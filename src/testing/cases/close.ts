import assert from "node:assert/strict";
import { isStoreError } from "../../core/errors.js";
import type { StateChange } from "../../core/store.js";
import { hasText } from "../assertions.js";
import type { CaseGroup } from "../case.js";

export const close: CaseGroup = {
  name: "close",
  cases: {
    "may be called again, and at the same time": async ({ another, within }) => {
      const store = await another();
      await within(Promise.all([store.close(), store.close()]), "two calls of close()");
      await within(store.close(), "close() of a closed store");
      assert.equal(store.state, "closed");
    },
    "is what disposal does": async ({ another }) => {
      const store = await another();
      await store[Symbol.asyncDispose]();
      assert.equal(store.state, "closed");
      await store[Symbol.asyncDispose]();
    },
    "is told once": async ({ another }) => {
      const store = await another();
      const changes: StateChange[] = [];
      store.onStateChange((change) => changes.push(change));
      const unsubscribe = store.onStateChange(() => assert.fail("this listener was taken back"));
      unsubscribe();
      unsubscribe();
      await Promise.all([store.close(), store.close()]);
      assert.equal(changes.length, 1);
      assert.equal(changes[0]!.state, "closed");
      assert.equal(changes[0]!.previous, "connected");
      assert.deepEqual(changes[0]!.lostKeys, []);
      assert.deepEqual(changes[0]!.restoredKeys, []);
    },
    "leaves the data and the other stores alone": async ({ store, another }) => {
      const other = await another();
      await other.put("k", "1");
      await other.close();
      hasText(await store.get("k"), "1");
      await store.put("k", "2");
      hasText(await (await another()).get("k"), "2");
    },
    "settles every pending call": async ({ store, another, within }) => {
      const closing = await another();
      const writes = Array.from({ length: 50 }, (_, at) => closing.put(`pending/${at}`, "1"));
      const reads = Array.from({ length: 50 }, (_, at) => closing.get(`pending/${at}`));
      const all = Promise.allSettled([...writes, ...reads]);
      await within(closing.close(), "close()");
      const settled = await within(all, "every pending call to settle");
      for (const [at, each] of settled.entries()) {
        if (each.status === "rejected") assert.ok(isStoreError(each.reason, "CLOSED"), String(each.reason));
        else if (at < 50) assert.equal(await store.exists(`pending/${at}`), true, "an acknowledged write is lost");
      }
    },
    "ends watches that had no item yet": async ({ another, within }) => {
      const store = await another();
      const watching = store.watch("k")[Symbol.asyncIterator]();
      const first = watching.next();
      const second = watching.next();
      await store.close();
      await within(first, "the first next()");
      assert.equal((await within(second, "the second next()")).done, true);
    },
  },
};

import assert from "node:assert/strict";
import type { CaseGroup } from "../case.js";

export const ping: CaseGroup = {
  name: "ping and state",
  cases: {
    "ping resolves with nothing": async ({ store, within }) => {
      assert.equal(await within(store.ping(), "the answer"), undefined);
      await within(Promise.all(Array.from({ length: 20 }, () => store.ping())), "many answers");
    },
    "an open store is connected, and says nothing without a change": async ({ store, another }) => {
      const other = await another();
      for (const each of [store, other]) {
        assert.equal(each.state, "connected");
        const changes: string[] = [];
        const unsubscribe = each.onStateChange(({ state }) => changes.push(state));
        await each.put("k", "1");
        await each.get("k");
        assert.equal(each.state, "connected");
        assert.deepEqual(changes, []);
        unsubscribe();
      }
      assert.equal(store.backend, other.backend);
      assert.deepEqual(store.capabilities, other.capabilities);
    },
  },
};

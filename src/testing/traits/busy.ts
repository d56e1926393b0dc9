import assert from "node:assert/strict";
import { isStoreError } from "../../core/errors.js";
import type { CaseGroup } from "../case.js";

/** What a store does when more calls are pending than it was told to take. */
export const busy: CaseGroup = {
  name: "maxPending",
  needs: "options",
  cases: {
    "refuses calls beyond it with BUSY, and works afterwards": async ({ another, within }) => {
      const store = await another({ maxPending: 4 });
      const puts = Array.from({ length: 40 }, (_, at) => store.put(`k/${at}`, "1"));
      const settled = await within(Promise.allSettled(puts), "all calls to settle");
      const refused = settled.filter((each) => each.status === "rejected");
      assert.ok(refused.length > 0, "nothing was refused");
      for (const { reason } of refused) {
        assert.ok(isStoreError(reason, "BUSY"), String(reason));
        assert.equal(reason.outcome, "not-applied");
      }
      assert.ok(settled.length - refused.length >= 4, "less than maxPending calls were taken");
      assert.equal((await store.keys("k")).length, settled.length - refused.length);
      await store.put("afterwards", "1");
    },
  },
};

import assert from "node:assert/strict";
import { StoreError } from "../../core/errors.js";
import { rejects } from "../assertions.js";
import type { CaseGroup } from "../case.js";

export const errors: CaseGroup = {
  name: "errors",
  cases: {
    "name the backend, the key and the outcome, never a value": async ({ store }) => {
      const secret = "the secret value";
      const read = await store.put("dir/k", secret);
      await store.put("dir/k", secret);
      const error = await rejects(() => store.atomicPut("dir/k", `${secret} too`, read), "KEY_MODIFIED");
      assert.ok(error instanceof StoreError && error instanceof Error);
      assert.equal(error.name, "StoreError");
      assert.equal(error.backend, store.backend);
      assert.equal(error.key, "dir/k");
      assert.equal(error.outcome, "not-applied");
      assert.match(error.message, /KEY_MODIFIED/);
      assert.ok(error.message.includes("dir/k"), error.message);
      assert.ok(error.message.includes(store.backend), error.message);
      assert.ok(
        !error.message.includes(secret) && !JSON.stringify(error).includes(secret),
        "the error tells the value",
      );
      assert.equal(JSON.parse(JSON.stringify(error)).code, "KEY_MODIFIED");
    },
    "of refused arguments name the key too": async ({ store }) => {
      const error = await rejects(() => store.put("dir/k", "\ud800"), "INVALID_ARGUMENT");
      assert.equal(error.key, "dir/k");
      const invalid = await rejects(() => store.get("a/../b"), "INVALID_KEY");
      assert.ok(invalid.message.includes("a/../b"), invalid.message);
    },
    "of reads have no outcome": async ({ store }) => {
      assert.equal((await rejects(() => store.get("a/../b"), "INVALID_KEY")).outcome, undefined);
      assert.equal((await rejects(() => store.list("a/../b"), "INVALID_KEY")).outcome, undefined);
    },
  },
};

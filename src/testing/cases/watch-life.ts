import assert from "node:assert/strict";
import type { KVPair } from "../../core/pair.js";
import { hasText, rejection, rejects } from "../assertions.js";
import type { CaseGroup } from "../case.js";
import { nextItem as next } from "../steps.js";

function open(pairs: AsyncIterable<KVPair | undefined>): AsyncIterator<KVPair | undefined> {
  return pairs[Symbol.asyncIterator]();
}

export const watchLife: CaseGroup = {
  name: "life of a watch",
  cases: {
    "each loop starts a watch of its own": async (context) => {
      const { store } = context;
      const watching = store.watch("k");
      const early = open(watching);
      assert.equal(await next(context, early, "absence"), undefined);
      await store.put("k", "1");
      const late = open(watching);
      hasText(await next(context, late, "the current state"), "1");
      hasText(await next(context, early, "the write"), "1");
      await early.return?.();
      await late.return?.();
    },
    "starts at the first next()": async (context) => {
      const { store } = context;
      const watching = open(store.watch("k"));
      await store.put("k", "1");
      hasText(await next(context, watching, "the state at the first next()"), "1");
      await watching.return?.();
    },
    "break releases it": async (context) => {
      const { store, within } = context;
      await store.put("k", "1");
      const loop = async (): Promise<string> => {
        for await (const pair of store.watch("k")) return pair!.text();
        return "the loop ended without an item";
      };
      assert.equal(await within(loop(), "the loop to be left"), "1");
      assert.equal(await within(loop(), "a second loop to be left"), "1");
    },
    "return() settles at once, with next() pending": async (context) => {
      const { store, within } = context;
      const watching = open(store.watch("k"));
      await next(context, watching, "absence");
      const pending = watching.next();
      assert.equal((await within(watching.return!(), "return()")).done, true);
      assert.equal((await within(pending, "the pending next()")).done, true);
      assert.equal((await within(watching.next(), "a later next()")).done, true);
      assert.equal((await within(watching.return!(), "a second return()")).done, true);
    },
    "return() before the first next() is fine": async (context) => {
      const { store, within } = context;
      const watching = open(store.watch("k"));
      assert.equal((await within(watching.return!(), "return()")).done, true);
      assert.equal((await within(watching.next(), "next() after return()")).done, true);
    },
    "next() may be called ahead": async (context) => {
      const { store, within } = context;
      const watching = open(store.watch("k"));
      const first = watching.next();
      const second = watching.next();
      assert.equal((await within(first, "the first state")).value, undefined);
      await store.put("k", "1");
      hasText((await within(second, "the second state")).value, "1");
      await watching.return?.();
    },
    "abort throws the signal's reason": async (context) => {
      const { store, within } = context;
      const controller = new AbortController();
      const reason = new Error("the caller's own reason");
      const watching = open(store.watch("k", { signal: controller.signal }));
      await next(context, watching, "absence");
      const pending = within(
        rejection(() => watching.next()),
        "the abort",
      );
      controller.abort(reason);
      assert.equal(await pending, reason);
      assert.equal((await within(watching.next(), "next() after the abort")).done, true);
    },
    "an aborted signal throws its reason at the first next()": async (context) => {
      const { store, within } = context;
      const reason = new Error("the caller's own reason");
      const watching = open(store.watch("k", { signal: AbortSignal.abort(reason) }));
      assert.equal(
        await within(
          rejection(() => watching.next()),
          "the abort",
        ),
        reason,
      );
    },
    "close() ends the loop": async (context) => {
      const { another, within } = context;
      const store = await another();
      const watching = open(store.watch("k"));
      await next(context, watching, "absence");
      const pending = watching.next();
      await within(store.close(), "close()");
      assert.equal((await within(pending, "the end of the watch")).done, true);
      assert.equal((await within(watching.next(), "a later next()")).done, true);
    },
    "refuses a bad key": async ({ store }) => {
      await rejects(async () => open(store.watch("a/../b")).next(), "INVALID_KEY");
      await rejects(async () => open(store.watch("")).next(), "INVALID_KEY");
    },
  },
};

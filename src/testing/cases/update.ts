import assert from "node:assert/strict";
import { hasText, rejection, rejects } from "../assertions.js";
import type { CaseGroup } from "../case.js";

export const update: CaseGroup = {
  name: "update",
  cases: {
    "writes what the function gives": async ({ store }) => {
      await store.put("k", "1");
      const pair = await store.update("k", (current) => `${current?.text()}+1`);
      hasText(pair, "1+1");
      assert.equal((await store.get("k"))?.revision, pair?.revision);
      hasText(await store.get("k"), "1+1");
    },
    "shows undefined for an absent key and creates it": async ({ store }) => {
      const seen: unknown[] = [];
      const pair = await store.update("k", (current) => {
        seen.push(current);
        return Uint8Array.of(0x31);
      });
      assert.deepEqual(seen, [undefined]);
      hasText(pair, "1");
      hasText(await store.get("k"), "1");
    },
    "takes an async function": async ({ store }) => {
      const pair = await store.update("k", async () => {
        await store.ping();
        return "later";
      });
      hasText(pair, "later");
    },
    "null deletes": async ({ store }) => {
      await store.put("k", "1");
      assert.equal(await store.update("k", () => null), undefined);
      assert.equal(await store.exists("k"), false);
      assert.equal(await store.update("k", () => null), undefined);
      assert.equal(await store.exists("k"), false);
    },
    "undefined leaves the key alone": async ({ store }) => {
      const before = await store.put("k", "1");
      const pair = await store.update("k", () => undefined);
      hasText(pair, "1");
      assert.equal(pair?.revision, before.revision);
      assert.equal((await store.get("k"))?.revision, before.revision);
      assert.equal(await store.update("absent", () => undefined), undefined);
      assert.equal(await store.exists("absent"), false);
    },
    "asks again when another was faster": async ({ store, another }) => {
      const other = await another();
      await store.put("k", "0");
      const seen: string[] = [];
      const pair = await store.update("k", async (current) => {
        seen.push(current!.text());
        if (seen.length === 1) await other.put("k", "other");
        return `${current!.text()}+`;
      });
      assert.deepEqual(seen, ["0", "other"]);
      hasText(pair, "other+");
    },
    "asks again when another created or deleted it meanwhile": async ({ store, another }) => {
      const other = await another();
      const seen: (string | undefined)[] = [];
      await store.update("k", async (current) => {
        seen.push(current?.text());
        if (seen.length === 1) await other.put("k", "created");
        if (seen.length === 2) await other.delete("k");
        return "mine";
      });
      assert.deepEqual(seen, [undefined, "created", undefined]);
      hasText(await store.get("k"), "mine");
    },
    "loses no increment of many writers": async ({ store, another }) => {
      const stores = [store, await another(), await another()];
      const increments = Array.from({ length: 15 }, (_, at) =>
        stores[at % 3]!.update("n", (current) => String(Number(current?.text() ?? 0) + 1), { timeoutMs: 20_000 }),
      );
      await Promise.all(increments);
      hasText(await store.get("n"), "15");
    },
    "rejects with what the function throws and writes nothing": async ({ store }) => {
      const before = await store.put("k", "1");
      const failure = new Error("the function's own");
      assert.equal(
        await rejection(() =>
          store.update("k", () => {
            throw failure;
          }),
        ),
        failure,
      );
      assert.equal(await rejection(() => store.update("k", () => Promise.reject(failure))), failure);
      assert.equal((await store.get("k"))?.revision, before.revision);
    },
    "refuses what is neither text, bytes, null nor undefined": async ({ store }) => {
      await rejects(() => store.update("k", () => 7 as unknown as string), "INVALID_ARGUMENT");
      await rejects(() => store.update("k", "no function" as unknown as () => null), "INVALID_ARGUMENT");
      assert.equal(await store.exists("k"), false);
    },
    "gives up at its timeout when others are always faster": async ({ store, another, within, timing }) => {
      const other = await another();
      await store.put("k", "0");
      let tries = 0;
      const updated = rejects(
        () =>
          store.update(
            "k",
            async () => {
              await other.put("k", `other ${tries++}`);
              await timing.advance?.(20);
              return "mine";
            },
            // Long enough for a second try on a slow machine.
            { timeoutMs: 500 },
          ),
        "TIMEOUT",
      );
      await within(updated, "the timeout of an update");
      assert.ok(tries > 1, "it was tried once only");
    },
  },
};

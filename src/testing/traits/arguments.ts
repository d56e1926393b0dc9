import assert from "node:assert/strict";
import { rejects } from "../assertions.js";
import type { CaseGroup } from "../case.js";
import { everyCall, forEachCall } from "./calls.js";

const noTimes = [Number.NaN, -1, "100", null] as number[];
const noCounts = [0, Number.NaN, -1, 1.5, "1"] as number[];

/** What every call does with a bad key and with options that make no sense. */
export const badArguments: CaseGroup = {
  name: "bad arguments",
  cases: {
    ...forEachCall(
      everyCall.filter((call) => call.keyed),
      ({ name }) => `${name} refuses a bad key`,
      (call) =>
        async ({ store, within }) => {
          for (const key of ["a/../b", "a\u0000b", "a\ud800", "a___lock/b", "k".repeat(1_025)]) {
            const error = await within(
              rejects(() => call.run(store, key), "INVALID_KEY"),
              `${call.name} of a bad key`,
            );
            assert.equal(error.outcome, call.writes ? "not-applied" : undefined, `outcome of ${call.name}`);
          }
        },
    ),
    ...forEachCall(
      everyCall.filter((call) => call.timed),
      ({ name }) => `${name} refuses what is no timeout`,
      (call) =>
        async ({ store, within }) => {
          for (const timeoutMs of noTimes) {
            await within(
              rejects(() => call.run(store, "k", { timeoutMs }), "INVALID_ARGUMENT"),
              call.name,
            );
          }
          assert.equal(await store.exists("k"), false);
        },
    ),
    "list, keys and scan refuse what is no limit or depth": async ({ store }) => {
      for (const count of noCounts) {
        for (const options of [{ limit: count }, { depth: count }]) {
          await rejects(() => store.list("", options), "INVALID_ARGUMENT");
          await rejects(() => store.keys("", options), "INVALID_ARGUMENT");
          await rejects(async () => store.scan("", options)[Symbol.asyncIterator]().next(), "INVALID_ARGUMENT");
        }
      }
    },
    "reads refuse an unknown consistency": async ({ store }) => {
      const options = { consistency: "eventual" as "stale" };
      await rejects(() => store.get("k", options), "INVALID_ARGUMENT");
      await rejects(() => store.exists("k", options), "INVALID_ARGUMENT");
      await rejects(() => store.list("", options), "INVALID_ARGUMENT");
    },
  },
};

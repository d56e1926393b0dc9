import assert from "node:assert/strict";
import { hasText, rejects } from "../assertions.js";
import type { CaseGroup } from "../case.js";
import { nextItem } from "../steps.js";

export const lock: CaseGroup = {
  name: "lock",
  cases: {
    "gives a hold": async ({ store }) => {
      const lock = store.newLock("/jobs//leader/", { value: "me" });
      assert.equal(lock.key, "jobs/leader");
      const hold = await lock.lock();
      assert.equal(hold.key, "jobs/leader");
      assert.equal(typeof hold.token, "bigint");
      assert.equal(hold.held, true);
      assert.equal(hold.signal.aborted, false);
      assert.ok(hold.ttlMs > 0);
      await hold.unlock();
      assert.equal(hold.held, false);
      assert.equal(hold.signal.aborted, false, "the signal fires on loss only");
    },
    "shows its value while held, and nothing afterwards": async ({ store, another }) => {
      const other = await another();
      const hold = await store.newLock("k", { value: "me" }).lock();
      for (const each of [store, other]) {
        hasText(await each.get("k"), "me");
        assert.equal(await each.exists("k"), true);
      }
      await hold.unlock();
      for (const each of [store, other]) {
        assert.equal(await each.get("k"), undefined);
        assert.equal(await each.exists("k"), false);
      }
      assert.deepEqual(await store.keys(""), []);
    },
    "has an empty value by default": async ({ store }) => {
      const hold = await store.newLock("k").lock();
      hasText(await store.get("k"), "");
      await hold.unlock();
      assert.equal(await store.get("k"), undefined);
    },
    "never shows its machinery": async (context) => {
      const { store, another, within } = context;
      const other = await another();
      const watching = store.watchTree("")[Symbol.asyncIterator]();
      await nextItem(context, watching, "the empty tree");
      const hold = await store.newLock("jobs/leader", { value: "me" }).lock();
      const waiting = other.newLock("jobs/leader", { value: "other" }).lock();
      await other.ping();
      assert.deepEqual(await store.keys(""), ["jobs/leader"]);
      assert.deepEqual(await store.keys("", { depth: 1 }), ["jobs/"]);
      assert.deepEqual(await store.keys("jobs", { depth: 1 }), ["jobs/leader"]);
      assert.deepEqual(
        (await store.list("jobs")).map((pair) => pair.text()),
        ["me"],
      );
      for await (const pair of store.scan("")) assert.equal(pair.key, "jobs/leader");
      await hold.unlock();
      await (await within(waiting, "the second holder")).unlock();
      await store.put("jobs/last", "1");
      const seen = new Set<string>();
      while (!seen.has("jobs/last")) {
        const item = await nextItem(context, watching, "the last write");
        for (const change of item.changes) seen.add(change.key);
        for (const pair of item.pairs) seen.add(pair.key);
      }
      seen.delete("jobs/leader");
      assert.deepEqual([...seen], ["jobs/last"]);
      assert.deepEqual(await store.keys(""), ["jobs/last"]);
      await watching.return?.();
    },
    "is seen by a watch of its key": async (context) => {
      const { store, another } = context;
      const watching = (await another()).watch("k")[Symbol.asyncIterator]();
      assert.equal(await nextItem(context, watching, "absence"), undefined);
      const hold = await store.newLock("k", { value: "me" }).lock();
      hasText(await nextItem(context, watching, "the holder"), "me");
      await hold.unlock();
      assert.equal(await nextItem(context, watching, "the release"), undefined);
      await watching.return?.();
    },
    "tryLock gives a free lock at once and undefined for a held one": async ({ store, another }) => {
      const other = await another();
      const hold = (await store.newLock("k", { value: "me" }).tryLock())!;
      assert.equal(hold.held, true);
      assert.equal(await other.newLock("k", { value: "other" }).tryLock(), undefined);
      assert.equal(await store.newLock("k", { value: "other" }).tryLock(), undefined);
      hasText(await other.get("k"), "me");
      await hold.unlock();
      assert.equal(await store.get("k"), undefined, "a failed tryLock left something behind");
      const second = (await other.newLock("k").tryLock())!;
      assert.ok(second.token > hold.token);
      await second.unlock();
    },
    "the fencing token grows with each acquisition": async ({ store, another }) => {
      const stores = [store, await another()];
      let last: bigint | undefined;
      for (let round = 0; round < 6; round++) {
        const hold = await stores[round % 2]!.newLock("k").lock();
        if (last !== undefined) assert.ok(hold.token > last, `token ${hold.token} after ${last}`);
        last = hold.token;
        await hold.unlock();
      }
    },
    "one object locks again after unlock": async ({ store }) => {
      const lock = store.newLock("k");
      const first = await lock.lock();
      await lock.unlock();
      assert.equal(first.held, false);
      const second = await lock.lock();
      assert.equal(second.held, true);
      assert.equal(first.held, false);
      await second.unlock();
    },
    "locking what the object holds is LOCK_HELD": async ({ store }) => {
      const lock = store.newLock("k");
      const hold = await lock.lock();
      await rejects(() => lock.lock(), { code: "LOCK_HELD", key: "k" });
      await rejects(() => lock.tryLock(), { code: "LOCK_HELD", key: "k" });
      assert.equal(hold.held, true);
      await hold.unlock();
    },
    "unlocking what is not held is NOT_LOCKED": async ({ store }) => {
      const lock = store.newLock("k");
      await rejects(() => lock.unlock(), { code: "NOT_LOCKED", key: "k" });
      const hold = await lock.lock();
      await hold.unlock();
      await rejects(() => hold.unlock(), { code: "NOT_LOCKED", key: "k" });
      await rejects(() => lock.unlock(), { code: "NOT_LOCKED", key: "k" });
    },
    "an earlier hold cannot release a later one": async ({ store }) => {
      const lock = store.newLock("k", { value: "me" });
      const first = await lock.lock();
      await first.unlock();
      const second = await lock.lock();
      await rejects(() => first.unlock(), "NOT_LOCKED");
      await first[Symbol.asyncDispose]();
      assert.equal(second.held, true);
      hasText(await store.get("k"), "me");
      await second.unlock();
    },
    "locks of different keys do not meet": async ({ store }) => {
      const holds = await Promise.all(["k", "kk", "K", "dir/k"].map((key) => store.newLock(key).lock()));
      assert.ok(holds.every((hold) => hold.held));
      await Promise.all(holds.map((hold) => hold.unlock()));
    },
    "replaces a plain value found at the key": async ({ store }) => {
      await store.put("k", "plain");
      const hold = await store.newLock("k", { value: "me" }).lock();
      hasText(await store.get("k"), "me");
      await hold.unlock();
      assert.equal(await store.get("k"), undefined);
      await store.put("k", "plain again");
      const tried = (await store.newLock("k", { value: "me" }).tryLock())!;
      assert.ok(tried !== undefined, "a plain value is no lock");
      hasText(await store.get("k"), "me");
      await tried.unlock();
    },
    "the key can be used as a plain key after unlock": async ({ store }) => {
      await (await store.newLock("k").lock()).unlock();
      await store.atomicPut("k", "plain", undefined);
      hasText(await store.get("k"), "plain");
    },
    "keys below a held lock's key work where the capabilities say so": async ({ store, capabilities }) => {
      const hold = await store.newLock("d", { value: "me" }).lock();
      if (capabilities.keys.withChildren === "always") await store.put("d/k", "below");
      else await rejects(() => store.put("d/k", "below"), { code: "NOT_SUPPORTED", outcome: "not-applied" });
      hasText(await store.get("d"), "me");
      await hold.unlock();
      assert.equal(await store.get("d"), undefined);
      assert.equal(await store.exists("d/k"), capabilities.keys.withChildren === "always");
    },
    "disposal unlocks, and never throws": async ({ store, another }) => {
      const other = await another();
      const hold = await store.newLock("k").lock();
      await hold[Symbol.asyncDispose]();
      assert.equal(hold.held, false);
      const second = await other.newLock("k").lock();
      await hold[Symbol.asyncDispose]();
      assert.equal(second.held, true);
      await second.unlock();
      await second[Symbol.asyncDispose]();
    },
    "copies the value's bytes": async ({ store }) => {
      const bytes = new TextEncoder().encode("me");
      const lock = store.newLock("k", { value: bytes });
      bytes.fill(0x78);
      const hold = await lock.lock();
      hasText(await store.get("k"), "me");
      await hold.unlock();
    },
    "refuses bad keys, values and ttls": async ({ store, capabilities }) => {
      await rejects(async () => store.newLock("a/../b").lock(), "INVALID_KEY");
      await rejects(async () => store.newLock("").lock(), "INVALID_KEY");
      await rejects(async () => store.newLock("k", { value: 7 as unknown as string }).lock(), "INVALID_ARGUMENT");
      await rejects(async () => store.newLock("k", { value: "\ud800" }).lock(), "INVALID_ARGUMENT");
      for (const ttlMs of [0, -1, Number.NaN, Number.POSITIVE_INFINITY, capabilities.ttl.maximumMs + 1]) {
        await rejects(async () => store.newLock("k", { ttlMs }).lock(), "INVALID_ARGUMENT");
      }
      assert.deepEqual(await store.keys(""), []);
    },
    "says what ttl took effect": async ({ store, capabilities, timing }) => {
      const { minimumMs, maximumMs } = capabilities.ttl;
      // Where the minimum is short, a hold of so little could be over before it is given back.
      const asked = minimumMs > 1_000 ? 1 : timing.ttlMs;
      const short = await store.newLock("short", { ttlMs: asked }).lock();
      assert.ok(
        short.ttlMs >= Math.max(minimumMs, asked),
        `${short.ttlMs} ms is less than ${asked} or ${minimumMs} ms`,
      );
      const standard = await store.newLock("standard").lock();
      assert.ok(standard.ttlMs >= Math.min(15_000, maximumMs), `${standard.ttlMs} ms is not the default`);
      await Promise.all([short.unlock(), standard.unlock()]);
    },
  },
};

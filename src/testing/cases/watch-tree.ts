import assert from "node:assert/strict";
import type { TreeChange } from "../../core/store.js";
import { byBytes, lines, rejection, rejects } from "../assertions.js";
import type { CaseGroup } from "../case.js";
import { commitAcross, nextItem as next, putAll, putBeside } from "../steps.js";

function open(changes: AsyncIterable<TreeChange>): AsyncIterator<TreeChange> {
  return changes[Symbol.asyncIterator]();
}

/** `+key=text`, or `-key`, with what was there before in brackets. */
function describe(item: TreeChange): string[] {
  return item.changes.map((change) => {
    const before = change.previous === undefined ? "" : ` (${change.previous.text()})`;
    return change.type === "put" ? `+${change.key}=${change.pair.text()}${before}` : `-${change.key}${before}`;
  });
}

export const watchTree: CaseGroup = {
  name: "watchTree",
  cases: {
    "shows the whole tree first": async (context) => {
      const { store } = context;
      await putAll(store, ["d/b", "d/a", "d/sub/a", "e"]);
      const watching = open(store.watchTree("d"));
      const first = await next(context, watching, "the whole tree");
      assert.deepEqual(describe(first).toSorted(), ["+d/a=d/a", "+d/b=d/b", "+d/sub/a=d/sub/a"]);
      assert.deepEqual(lines(first.pairs), ["d/a=d/a", "d/b=d/b", "d/sub/a=d/sub/a"]);
      await watching.return?.();
    },
    "shows an empty tree first where nothing is": async (context) => {
      const { store } = context;
      const watching = open(store.watchTree("not/yet"));
      const first = await next(context, watching, "the empty tree");
      assert.deepEqual(first.changes, []);
      assert.deepEqual(first.pairs, []);
      await store.put("not/yet/k", "1");
      const second = await next(context, watching, "the first key");
      assert.deepEqual(describe(second), ["+not/yet/k=1"]);
      assert.deepEqual(lines(second.pairs), ["not/yet/k=1"]);
      await watching.return?.();
    },
    "says what changed, with what was there before": async (context) => {
      const { store, another } = context;
      const other = await another();
      const watching = open(store.watchTree("d"));
      await next(context, watching, "the empty tree");
      const { revision } = await store.put("d/k", "1");
      const created = await next(context, watching, "the creation");
      assert.deepEqual(describe(created), ["+d/k=1"]);
      const [change] = created.changes;
      assert.ok(change?.type === "put");
      assert.equal(change.pair.revision, revision);
      await other.put("d/k", "2");
      assert.deepEqual(describe(await next(context, watching, "the change")), ["+d/k=2 (1)"]);
      await other.delete("d/k");
      const deleted = await next(context, watching, "the deletion");
      assert.deepEqual(describe(deleted), ["-d/k (2)"]);
      assert.deepEqual(deleted.pairs, []);
      await store.put("d/k", "3");
      assert.deepEqual(describe(await next(context, watching, "the recreation")), ["+d/k=3"]);
      await watching.return?.();
    },
    "watches the root": async (context) => {
      const { store } = context;
      await store.put("a", "1");
      const watching = open(store.watchTree(""));
      assert.deepEqual(lines((await next(context, watching, "the whole tree")).pairs), ["a=1"]);
      await store.put("b/c/d", "2");
      const second = await next(context, watching, "a deep key");
      assert.deepEqual(describe(second), ["+b/c/d=2"]);
      assert.deepEqual(lines(second.pairs), ["a=1", "b/c/d=2"]);
      await watching.return?.();
    },
    "never shows the directory itself or siblings": async (context) => {
      const { store, capabilities } = context;
      await putAll(store, ["d/k", "dd/k", "d-x", "d0/k"]);
      await putBeside(store, capabilities, "d", "itself");
      const watching = open(store.watchTree("d"));
      assert.deepEqual(lines((await next(context, watching, "the whole tree")).pairs), ["d/k=d/k"]);
      await putAll(store, ["dd/new", "d-x", "d0/k", "e"]);
      await putBeside(store, capabilities, "d", "changed");
      await store.delete("dd/k");
      await store.put("d/last", "1");
      const second = await next(context, watching, "the write below the directory");
      assert.deepEqual(describe(second), ["+d/last=1"]);
      assert.deepEqual(lines(second.pairs), ["d/k=d/k", "d/last=1"]);
      await watching.return?.();
    },
    "shows deletions of a tree": async (context) => {
      const { store } = context;
      await putAll(store, ["d/1", "d/2", "d/sub/3", "e"]);
      const watching = open(store.watchTree("d"));
      await next(context, watching, "the whole tree");
      await store.deleteTree("d");
      const gone: string[] = [];
      let last: TreeChange | undefined;
      while (gone.length < 3) {
        last = await next(context, watching, "the deletions");
        gone.push(...describe(last));
        assert.equal(last.pairs.length, 3 - gone.length);
      }
      assert.deepEqual(gone.toSorted(), ["-d/1 (d/1)", "-d/2 (d/2)", "-d/sub/3 (d/sub/3)"]);
      await watching.return?.();
    },
    "shows the writes of an atomic commit": async (context) => {
      const { store, capabilities } = context;
      await store.put("d/old", "1");
      const watching = open(store.watchTree("d"));
      await next(context, watching, "the whole tree");
      const transaction = store.atomic().put("d/new", "2").put("d/newer", "3").delete("d/old");
      if ((await commitAcross(capabilities, transaction)) === undefined) return;
      const seen: string[] = [];
      while (seen.length < 3) seen.push(...describe(await next(context, watching, "the commit")));
      assert.deepEqual(seen.toSorted(), ["+d/new=2", "+d/newer=3", "-d/old (1)"]);
      await watching.return?.();
    },
    "the snapshot is sorted by bytes and equals the list": async (context) => {
      const { store } = context;
      const watching = open(store.watchTree("d"));
      await next(context, watching, "the empty tree");
      for (const key of ["d/b", "d/a0", "d/a-x", "d/é", "d/A", "d/a.x", "d/c/a"]) {
        await store.put(key, key);
        const item = await next(context, watching, key);
        const listed = await store.list("d");
        assert.deepEqual(lines(item.pairs), lines(listed));
        assert.deepEqual(
          item.pairs.map((pair) => pair.revision),
          listed.map((pair) => pair.revision),
        );
      }
      await watching.return?.();
    },
    "an item's snapshot is valid until the next": async (context) => {
      const { store } = context;
      const watching = open(store.watchTree("d"));
      const first = await next(context, watching, "the empty tree");
      await store.put("d/k", "1");
      const second = await next(context, watching, "the write");
      assert.throws(() => first.pairs, { code: "INVALID_ARGUMENT" });
      await store.put("d/k2", "2");
      assert.deepEqual(lines(second.pairs), ["d/k=1"], "the snapshot is that of its item, not of now");
      assert.deepEqual(lines(second.pairs), ["d/k=1"], "it can be read twice");
      await watching.return?.();
    },
    "applying the changes gives the snapshot": async (context) => {
      const { store, another } = context;
      const other = await another();
      const watching = open(store.watchTree("d"));
      const replica = new Map<string, string>();
      await next(context, watching, "the empty tree");
      const writers = [store, other].map(async (writer, at) => {
        for (let round = 0; round < 25; round++) {
          const key = `d/${(round * 7 + at) % 5}`;
          if (round % 3 === 2) await writer.delete(key);
          else await writer.put(key, `${at} ${round}`);
        }
      });
      const written = Promise.all(writers).then(() => store.put("d/the-last", "1"));
      const revisions = new Map<string, bigint>();
      while (!replica.has("d/the-last")) {
        const item = await next(context, watching, "the last write");
        assert.ok(item.changes.length > 0, "an item without changes");
        for (const change of item.changes) {
          assert.equal(change.previous?.text(), replica.get(change.key), `what was before ${change.key}`);
          if (change.type === "put") {
            const before = revisions.get(change.key) ?? -1n;
            assert.ok(
              change.pair.revision > before,
              `revision ${change.pair.revision} of ${change.key} after ${before}`,
            );
            revisions.set(change.key, change.pair.revision);
            replica.set(change.key, change.pair.text());
          } else replica.delete(change.key);
        }
        const expected = [...replica].toSorted(([left], [right]) => byBytes(left, right));
        assert.deepEqual(
          lines(item.pairs),
          expected.map(([key, text]) => `${key}=${text}`),
        );
      }
      await written;
      await watching.return?.();
    },
    "conflates per key for a slow consumer, and loses no key": async (context) => {
      const { store } = context;
      const keys = ["d/a", "d/b", "d/c", "d/gone"];
      const watching = open(store.watchTree("d"));
      await next(context, watching, "the empty tree");
      const rounds = Array.from({ length: 100 }, (_, round) => keys.map((key) => store.put(key, `${round}`))).flat();
      await Promise.all(rounds);
      await store.delete("d/gone");
      await store.put("d/end", "1");
      const replica = new Map<string, string>();
      while (!replica.has("d/end") || replica.has("d/gone")) {
        const item = await next(context, watching, "the latest states");
        for (const change of item.changes) {
          assert.equal(change.previous?.text(), replica.get(change.key), `what was before ${change.key}`);
          if (change.type === "put") replica.set(change.key, change.pair.text());
          else assert.ok(replica.delete(change.key), `a deletion of ${change.key}, which was not there`);
        }
      }
      assert.deepEqual(Object.fromEntries(replica), { "d/a": "99", "d/b": "99", "d/c": "99", "d/end": "1" });
      await watching.return?.();
    },
    "hands out bytes that are the caller's own": async (context) => {
      const { store } = context;
      await store.put("d/k", "untouched");
      const first = open(store.watchTree("d"));
      const second = open(store.watchTree("d"));
      await next(context, first, "the whole tree");
      await next(context, second, "the whole tree");
      for (const text of ["changed", "changed again"]) {
        await store.put("d/k", text);
        const seen = await next(context, first, "a change");
        for (const pair of seen.pairs) pair.value.fill(0);
        for (const change of seen.changes) {
          change.previous?.value.fill(0);
          if (change.type === "put") change.pair.value.fill(0);
        }
        const untouched = await next(context, second, "a change");
        assert.deepEqual(lines(untouched.pairs), [`d/k=${text}`]);
        assert.ok(describe(untouched)[0]?.startsWith(`+d/k=${text} (`), describe(untouched)[0]);
        assert.ok(!describe(untouched)[0]?.includes("\u0000"), "what was before is another's to change");
      }
      assert.equal((await store.get("d/k"))?.text(), "changed again");
      await first.return?.();
      await second.return?.();
    },
    "a second watcher gets the whole tree": async (context) => {
      const { store } = context;
      const first = open(store.watchTree("d"));
      await next(context, first, "the empty tree");
      await putAll(store, ["d/1", "d/2"]);
      const second = open(store.watchTree("d"));
      assert.deepEqual(lines((await next(context, second, "the whole tree")).pairs), ["d/1=d/1", "d/2=d/2"]);
      await first.return?.();
      await store.put("d/3", "3");
      assert.deepEqual(describe(await next(context, second, "a change after the first watcher left")), ["+d/3=3"]);
      await second.return?.();
    },
    "return() settles at once, with next() pending": async (context) => {
      const { store, within } = context;
      const watching = open(store.watchTree("d"));
      await next(context, watching, "the empty tree");
      const pending = watching.next();
      assert.equal((await within(watching.return!(), "return()")).done, true);
      assert.equal((await within(pending, "the pending next()")).done, true);
      assert.equal((await within(watching.next(), "a later next()")).done, true);
    },
    "break releases it": async ({ store, within }) => {
      await store.put("d/k", "1");
      const loop = async (): Promise<number> => {
        for await (const item of store.watchTree("d")) return item.pairs.length;
        return 0;
      };
      assert.equal(await within(loop(), "the loop to be left"), 1);
    },
    "abort throws the signal's reason": async (context) => {
      const { store, within } = context;
      const controller = new AbortController();
      const reason = new Error("the caller's own reason");
      const watching = open(store.watchTree("d", { signal: controller.signal }));
      await next(context, watching, "the empty tree");
      const pending = within(
        rejection(() => watching.next()),
        "the abort",
      );
      controller.abort(reason);
      assert.equal(await pending, reason);
      assert.equal((await within(watching.next(), "next() after the abort")).done, true);
    },
    "close() ends the loop": async (context) => {
      const { another, within } = context;
      const store = await another();
      const watching = open(store.watchTree("d"));
      await next(context, watching, "the empty tree");
      const pending = watching.next();
      await within(store.close(), "close()");
      assert.equal((await within(pending, "the end of the watch")).done, true);
    },
    "refuses a bad directory": async ({ store }) => {
      await rejects(async () => open(store.watchTree("a/../b")).next(), "INVALID_KEY");
      await rejects(async () => open(store.watchTree("a___lock")).next(), "INVALID_KEY");
    },
  },
};

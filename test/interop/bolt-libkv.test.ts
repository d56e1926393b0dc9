import { describe, expect, it } from "vitest";
import { connectBolt } from "../../src/bolt/index.js";
import { temporaryFolder } from "./support/folder.js";
import { goCheck } from "./support/go.js";
import { Libkv } from "./support/libkv.js";

const file = temporaryFolder();

describe("Kvasir's Bolt store and Go's libkv share a file", () => {
  it("libkv reads what Kvasir wrote: keys, bytes, and the revision as its index", async () => {
    const path = file("ours.db");
    const store = await connectBolt({ path, bucket: "shared" });
    await store.put("a/b", "one");
    await store.put("/a//empty/", new Uint8Array(0));
    const latest = await store.put("a/b", "two");
    await store.put("a/gone", "x");
    await store.delete("a/gone");
    await store.put("a/ümlaut/日本", "text");
    await store.put("a/with-ttl", "short", { ttlMs: 60_000 });
    await store.close();

    const libkv = await Libkv.open("-bucket=shared", path);
    expect(await libkv.list("a")).toEqual(["a/b=two", "a/empty=", "a/with-ttl=short", "a/ümlaut/日本=text"]);
    const { pairs } = await libkv.call("get", "a/b");
    expect(pairs).toEqual([{ key: "a/b", value: "74776f", index: latest.revision.toString() }]);
    expect(await libkv.call("get", "a/gone")).toMatchObject({ error: expect.stringMatching(/not found/i) });
    await libkv.end();
    expect(await goCheck(path)).toMatchObject({ errors: [], ok: true });
  });

  it("Kvasir reads what libkv wrote", async () => {
    const path = file("libkvs.db");
    const libkv = await Libkv.open("-bucket=shared", "-persist", path);
    await libkv.put("a/b", "one");
    await libkv.put("a/b", "two");
    await libkv.put("a/empty", "");
    await libkv.put("ab", "sibling");
    await expect(connectBolt({ path, bucket: "shared", connectTimeoutMs: 200 })).rejects.toMatchObject({
      code: "FILE_LOCKED",
      message: expect.stringContaining(path),
    });
    await libkv.end();

    const store = await connectBolt({ path, bucket: "shared" });
    const pair = await store.get("a/b");
    expect(pair?.text()).toBe("two");
    expect(pair?.revision).toBe(2n);
    expect((await store.list("a")).map(({ key, value }) => [key, value.length])).toEqual([
      ["a/b", 3],
      ["a/empty", 0],
    ]);
    const next = await store.atomicPut("a/b", "three", pair);
    expect(next.revision).toBeGreaterThan(2n);
    await store.close();
  });

  it("both write in turn while Kvasir has it open as shared, and each sees the other's changes", async () => {
    const path = file("turns.db");
    const store = await connectBolt({ path, bucket: "shared", shared: true });
    const libkv = await Libkv.open("-bucket=shared", path);
    const expected: string[] = [];
    for (let turn = 10; turn < 20; turn++) {
      await store.put(`k/${turn}-ours`, "a");
      await libkv.put(`k/${turn}-theirs`, "b");
      expected.push(`k/${turn}-ours=a`, `k/${turn}-theirs=b`);
      expect(await libkv.list("k/")).toEqual(expected);
      expect((await store.list("k")).map((pair) => `${pair.key}=${pair.text()}`)).toEqual(expected);
    }
    await libkv.end();
    await store.close();
    expect(await goCheck(path)).toMatchObject({ errors: [], ok: true });
  });

  it("compare-and-set by one notices what the other changed", async () => {
    const path = file("compare.db");
    const store = await connectBolt({ path, bucket: "shared", shared: true });
    const libkv = await Libkv.open("-bucket=shared", path);
    const ours = await store.put("k", "ours");
    const previous = ours.revision.toString();
    const theirs = await libkv.call("atomicPut", "k", { value: "theirs", previous });
    expect(theirs.error).toBeUndefined();
    await expect(store.atomicPut("k", "late", ours)).rejects.toMatchObject({ code: "KEY_MODIFIED", key: "k" });
    const seen = await store.get("k");
    expect(seen?.text()).toBe("theirs");
    await store.atomicPut("k", "ours again", seen);
    const late = await libkv.call("atomicPut", "k", { value: "late", previous: seen!.revision.toString() });
    expect(late.error).toMatch(/modified/);
    expect((await store.get("k"))?.text()).toBe("ours again");
    await libkv.end();
    await store.close();
  });

  it("compare-and-set is not fooled by libkv's counter, which starts again with each process", async () => {
    const path = file("counter.db");
    const first = await Libkv.open("-bucket=shared", path);
    await first.put("k", "first");
    await first.end();
    const store = await connectBolt({ path, bucket: "shared", shared: true });
    const seen = await store.get("k");
    const second = await Libkv.open("-bucket=shared", path);
    await second.put("k", "second");
    await second.end();
    expect((await store.get("k"))?.revision).toBe(seen?.revision);
    await expect(store.atomicPut("k", "third", seen)).rejects.toMatchObject({ code: "KEY_MODIFIED" });
    await expect(store.atomicDelete("k", seen!)).rejects.toMatchObject({ code: "KEY_MODIFIED" });
    expect((await store.get("k"))?.text()).toBe("second");
    await store.close();
  });

  it("a store that is not shared keeps libkv out until it is closed", async () => {
    const path = file("exclusive.db");
    const store = await connectBolt({ path, bucket: "shared" });
    const libkv = await Libkv.open("-bucket=shared", "-timeout=200ms", path);
    expect(await libkv.call("put", "k", { value: "v" })).toEqual({ error: "timeout" });
    await store.close();
    await libkv.put("k", "v");
    await libkv.end();
  });
});

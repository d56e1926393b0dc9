import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { connectBolt } from "../../../src/bolt/index.js";
import { Random, testSeed } from "../../interop/support/random.js";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "kvasir-recall-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let files = 0;
const newFile = (): string => join(folder, `${files++}.db`);

const seed = testSeed();

/** Keys are read twice and more, so that most answers come from remembered places. */
describe("a read of a key that was read before", () => {
  test.each([
    ["with room for every page", 64 * 1024 * 1024],
    ["with room for a few pages", 40 * 1024],
  ])(`sees every change of it, %s, seed ${seed}`, async (_name, cacheBytes) => {
    const random = new Random(seed);
    const path = newFile();
    const stores = [await connectBolt({ path, cacheBytes }), await connectBolt({ path, cacheBytes })];
    onTestFinished(async () => {
      for (const store of stores) await store.close();
    });
    const expected = new Map<string, string>();
    const keyOf = (index: number): string => `k/${index.toString().padStart(4, "0")}`;
    for (let round = 0; round < 3_000; round++) {
      const store = random.pick(stores);
      const key = keyOf(random.below(400));
      const way = random.below(10);
      if (way < 3) {
        const value = `${round}`.padEnd(random.below(300), ".");
        await store.put(key, value);
        expected.set(key, value);
      } else if (way === 3) {
        expect(await store.delete(key)).toBe(expected.delete(key));
      } else if (way === 4 && random.chance(0.02)) {
        await store.deleteTree("k");
        expected.clear();
      }
      for (let read = 0; read < 4; read++) {
        const other = keyOf(random.below(400));
        expect((await random.pick(stores).get(other))?.text()).toBe(expected.get(other));
      }
      expect((await store.get(key))?.text()).toBe(expected.get(key));
    }
  });

  test("gives bytes that are the caller's own", async () => {
    const store = await connectBolt({ path: newFile() });
    onTestFinished(() => store.close());
    await store.put("k", "value");
    for (let read = 0; read < 3; read++) {
      const pair = await store.get("k");
      expect(pair?.text()).toBe("value");
      pair!.value.fill(0);
    }
  });

  test("sees it end with its ttl", async () => {
    const store = await connectBolt({ path: newFile() });
    onTestFinished(() => store.close());
    const put = await store.put("k", "v", { ttlMs: 50 });
    const watch = store.watch("k")[Symbol.asyncIterator]();
    expect((await watch.next()).value?.revision).toBe(put.revision);
    expect((await store.get("k"))?.text()).toBe("v");
    expect((await store.get("k"))?.text()).toBe("v");
    expect((await watch.next()).value).toBeUndefined();
    expect(await store.get("k")).toBeUndefined();
  });

  test("is refused once the store is closed, and goes on through another on the same file", async () => {
    const path = newFile();
    const [closed, open] = [await connectBolt({ path }), await connectBolt({ path })];
    onTestFinished(() => open.close());
    await closed.put("k", "v");
    expect((await closed.get("k"))?.text()).toBe("v");
    expect((await open.get("k"))?.text()).toBe("v");
    await closed.close();
    await expect(closed.get("k")).rejects.toMatchObject({ code: "CLOSED", key: "k" });
    expect((await open.get("k"))?.text()).toBe("v");
  });
});

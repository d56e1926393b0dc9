import { describe, expect, onTestFinished, test } from "vitest";
import { compareKeys } from "../../../src/core/keys.js";
import { open } from "../../../src/bolt/engine/index.js";
import { type BoltStore, connectBolt } from "../../../src/bolt/index.js";
import { temporaryFolder } from "../../interop/support/folder.js";

const file = temporaryFolder();
let files = 0;

async function storeWith(keys: readonly string[]): Promise<BoltStore> {
  const store = await connectBolt({ path: file(`${files++}.db`) });
  onTestFinished(() => store.close());
  await Promise.all(keys.map((key) => store.put(key, `of ${key}`)));
  return store;
}

/** Keys that a page has are read together where they are short and ASCII, and one by one elsewhere. */
describe("listed keys", () => {
  const numbered = (count: number, more = ""): string[] => Array.from({ length: count }, (_, at) => `d/${at}${more}`);

  test.each<[string, string[]]>([
    ["of ASCII characters", numbered(500)],
    ["of others", numbered(300, "/ä𝄞")],
    ["of both, side by side", [...numbered(300), ...numbered(300, "é"), ...numbered(300, "/x")]],
    ["that are long", numbered(60, "x".repeat(900))],
    ["of one byte", ["d/a", "d/b"]],
  ])("%s are those that were put, each with its value", async (_name, keys) => {
    const store = await storeWith(keys);
    const sorted = keys.toSorted(compareKeys);
    const listed = await store.list("d");
    expect(listed.map(({ key }) => key)).toEqual(sorted);
    expect(listed.map((pair) => pair.text())).toEqual(sorted.map((key) => `of ${key}`));
    expect(await store.keys("d")).toEqual(sorted);
    const scanned: string[] = [];
    for await (const { key } of store.scan("d", { pageSize: 7 })) scanned.push(key);
    expect(scanned).toEqual(sorted);
  });

  test("are each with its own value where another program's bucket lies between them", async () => {
    const keys = numbered(100);
    const store = await storeWith(keys);
    const path = file(`${files - 1}.db`);
    await store.close();
    const db = await open(path);
    await db.update((tx) => void tx.bucket("kvasir")!.createBucket("d/50/bucket"));
    await db.close();
    const again = await connectBolt({ path });
    onTestFinished(() => again.close());
    const listed = await again.list("d");
    expect(listed.map((pair) => [pair.key, pair.text()])).toEqual(
      keys.toSorted(compareKeys).map((key) => [key, `of ${key}`]),
    );
  });
});

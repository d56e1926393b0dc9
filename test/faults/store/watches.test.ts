import { expect, it } from "vitest";
import { connectBolt } from "../../../src/bolt/index.js";
import type { TreeChange } from "../../../src/core/store.js";
import { Child, temporaryFolder } from "./support.js";

const file = temporaryFolder();

/** What happened, in a word for each change. */
function words({ changes }: TreeChange): string[] {
  return changes.map((change) => (change.type === "put" ? `${change.key}=${change.pair.text()}` : `-${change.key}`));
}

it("a watch on a shared file sees what other processes write and delete, and goes on when one of them is killed", async () => {
  const path = file("shared.db");
  await using store = await connectBolt({ path, shared: true });
  await store.put("dir/own", "0");
  const signal = AbortSignal.timeout(60_000);
  const watch = store.watchTree("dir", { signal })[Symbol.asyncIterator]();
  const single = store.watch("dir/a", { signal })[Symbol.asyncIterator]();
  const next = async (): Promise<string[]> => words((await watch.next()).value as TreeChange);
  expect(await next()).toEqual(["dir/own=0"]);
  expect((await single.next()).value).toBeUndefined();

  const writer = new Child("./writer-child.ts", [path]);
  expect(await writer.line()).toBe("ready");
  writer.tell("put dir/a 1");
  expect(await next()).toEqual(["dir/a=1"]);
  expect((await single.next()).value?.text()).toBe("1");
  expect(await writer.line()).toBe("done");

  writer.tell("delete dir/own");
  expect(await next()).toEqual(["-dir/own"]);
  writer.tell("put dir/a 2");
  expect(await next()).toEqual(["dir/a=2"]);
  expect((await single.next()).value?.text()).toBe("2");

  writer.kill("SIGKILL");
  await writer.exited;
  const another = new Child("./writer-child.ts", [path]);
  expect(await another.line()).toBe("ready");
  another.tell("delete dir/a");
  expect(await next()).toEqual(["-dir/a"]);
  expect((await single.next()).value).toBeUndefined();

  await store.put("dir/b", "own");
  expect(await next()).toEqual(["dir/b=own"]);
  await watch.return!();
  await single.return!();
});

it("a writer killed in the middle of its writes leaves a watch with what is in the file", async () => {
  const path = file("killed.db");
  await using store = await connectBolt({ path, shared: true });
  const seen = new Map<string, string>();
  const watch = store.watchTree("", { signal: AbortSignal.timeout(60_000) })[Symbol.asyncIterator]();
  const take = async (): Promise<void> => {
    for (const change of ((await watch.next()).value as TreeChange).changes) {
      if (change.type === "put") seen.set(change.key, change.pair.text());
      else seen.delete(change.key);
    }
  };
  await take();
  for (let round = 0; round < 5; round++) {
    const writer = new Child("./writer-child.ts", [path]);
    expect(await writer.line()).toBe("ready");
    for (let number = 0; number < 200; number++) writer.tell(`put k${number % 20} ${round}-${number}`);
    for (let number = 0; number < 20; number++) await writer.line();
    writer.kill("SIGKILL");
    await writer.exited;
    await store.put("end", String(round));
    while (seen.get("end") !== String(round)) await take();
    const there = new Map((await store.list("")).map((pair) => [pair.key, pair.text()]));
    expect(seen).toEqual(there);
  }
  await watch.return!();
});

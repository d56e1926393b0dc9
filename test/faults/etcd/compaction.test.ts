import { expect } from "vitest";
import { itemsUntil } from "../support/calls.js";
import { it, withRig } from "./support.js";

it("a watch that missed compacted events emits the difference and goes on", () =>
  withRig(async (rig) => {
    const store = await rig.open();
    const other = await rig.openDirect();
    for (const key of ["changed", "deleted", "kept"]) await other.put(`d/${key}`, "1");
    const tree = store.watchTree("d")[Symbol.asyncIterator]();
    expect((await tree.next()).value.pairs.length).toBe(3);
    rig.proxy.refuse();
    rig.proxy.cut();
    await other.put("d/changed", "2");
    await other.put("d/passing", "1");
    await other.delete("d/passing");
    await other.delete("d/deleted");
    const { revision } = await other.put("d/added", "1");
    await rig.direct.kv.compact(revision, { physical: true });
    await rig.proxy.accept();
    const items = await itemsUntil(tree, ({ changes }) => changes.some(({ type }) => type === "delete"));
    const changes = items.flatMap((item) => item.changes.map(({ type, key }) => `${type} ${key}`));
    expect(changes.sort()).toEqual(["delete d/deleted", "put d/added", "put d/changed"]);
    await other.put("d/after", "1");
    const { value } = await tree.next();
    expect(value.changes.map(({ key }: { key: string }) => key)).toEqual(["d/after"]);
    await tree.return?.();
  }));

it("a scan goes on when its revision is compacted away between two pages", () =>
  withRig(async (rig) => {
    const store = await rig.open();
    await Promise.all(Array.from({ length: 30 }, (_, at) => store.put(`s/${10 + at}`, "1")));
    const seen: string[] = [];
    for await (const { key } of store.scan("s", { pageSize: 10 })) {
      seen.push(key);
      if (seen.length !== 10) continue;
      const { revision } = await store.put("s/99", "late");
      await rig.direct.kv.compact(revision, { physical: true });
    }
    expect(seen).toEqual([...Array.from({ length: 30 }, (_, at) => `s/${10 + at}`), "s/99"]);
  }));

it("a scan shows one moment, whatever is written between its pages", () =>
  withRig(async (rig) => {
    const store = await rig.open();
    await Promise.all(Array.from({ length: 30 }, (_, at) => store.put(`s/${10 + at}`, "1")));
    const seen: string[] = [];
    for await (const pair of store.scan("s", { pageSize: 10 })) {
      seen.push(`${pair.key} ${pair.text()}`);
      if (seen.length === 5) await Promise.all([store.put("s/39", "2"), store.put("s/99", "2"), store.delete("s/38")]);
    }
    expect(seen).toEqual(Array.from({ length: 30 }, (_, at) => `s/${10 + at} 1`));
  }));

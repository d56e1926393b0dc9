import { expect } from "vitest";
import type { Store } from "../../../src/core/store.js";
import type { TcpProxy } from "../../servers/index.js";
import { itemsUntil } from "./calls.js";

/** Watches of a key, of an absent one and of a tree miss nothing that another does while their connections are cut. */
export async function missesNothingThroughCuts(store: Store, direct: Store, proxy: TcpProxy): Promise<void> {
  await direct.put("w/key", "0");
  await direct.put("w/other", "0");
  const key = store.watch("w/key")[Symbol.asyncIterator]();
  const absent = store.watch("w/absent")[Symbol.asyncIterator]();
  const tree = store.watchTree("w")[Symbol.asyncIterator]();
  await Promise.all([key.next(), absent.next(), tree.next()]);
  for (let cut = 1; cut <= 3; cut++) {
    proxy.refuse();
    proxy.cut();
    await direct.put("w/key", String(cut));
    await direct.delete("w/other");
    await direct.put("w/other", `again ${cut}`);
    await direct.put(`w/deep/er/${cut}`, "1");
    await proxy.accept();
    await itemsUntil(key, (pair) => pair?.text() === String(cut));
    await itemsUntil(tree, ({ pairs }) => {
      const found = Object.fromEntries(pairs.map((pair) => [pair.key, pair.text()]));
      return found["w/key"] === String(cut) && found["w/other"] === `again ${cut}` && found[`w/deep/er/${cut}`] === "1";
    });
  }
  await direct.put("w/absent", "there");
  expect((await absent.next()).value?.text()).toBe("there");
  await Promise.all([key.return?.(), absent.return?.(), tree.return?.()]);
}

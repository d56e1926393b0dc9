import { describe, expect, it } from "vitest";
import { type Link, LinkedList } from "../../../src/util/linked-list.js";

describe("a linked list", () => {
  it("holds items in the order in which they came, until they are taken out", () => {
    const list = new LinkedList<string>();
    const links = ["a", "b", "c", "d"].map((item) => list.add(item));
    expect(list.toArray()).toEqual(["a", "b", "c", "d"]);
    list.remove(links[1]!);
    expect(list.toArray()).toEqual(["a", "c", "d"]);
    list.remove(links[3]!);
    expect(list.toArray()).toEqual(["a", "c"]);
    list.remove(links[0]!);
    expect([list.first, list.size]).toEqual(["c", 1]);
    list.remove(links[2]!);
    expect([list.first, list.size, list.toArray()]).toEqual([undefined, 0, []]);
    list.add("e");
    expect([list.first, list.size, list.toArray()]).toEqual(["e", 1, ["e"]]);
  });

  it("does as a set does, whatever comes and goes", () => {
    const list = new LinkedList<number>();
    const links = new Map<number, Link<number>>();
    let state = 7;
    for (let item = 0; item < 2_000; item++) {
      state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
      const leaving = [...links.keys()][state % (links.size + 1)];
      if (leaving !== undefined && links.size > state % 40) {
        list.remove(links.get(leaving)!);
        links.delete(leaving);
      } else links.set(item, list.add(item));
      expect(list.toArray()).toEqual([...links.keys()]);
      expect([list.first, list.size]).toEqual([[...links.keys()][0], links.size]);
    }
  });
});

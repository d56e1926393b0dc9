import { describe, expect, test } from "vitest";
import { SortedIds } from "../../../src/bolt/engine/sorted-ids.js";
import { seededRandom } from "./support.js";

describe("sorted ids", () => {
  test("come and go anywhere, and stay what a plain array says", () => {
    const random = seededRandom(5);
    for (const most of [1, 10, 200]) {
      let model: number[] = [];
      const ids = new SortedIds(new Float64Array(0));
      for (let step = 0; step < 2_000; step++) {
        if (random() < 0.5 && model.length > 0) {
          const index = Math.floor(random() * model.length);
          const count = Math.min(1 + Math.floor(random() * most), model.length - index);
          ids.cut(index, count);
          model.splice(index, count);
        } else {
          const there = new Set(model);
          const more = new Set(
            Array.from({ length: 1 + Math.floor(random() * most) }, () => Math.floor(random() * 1e4)),
          );
          const added = [...more].filter((id) => !there.has(id));
          ids.add(added);
          model = [...model, ...added].toSorted((left, right) => left - right);
        }
        expect(ids.length).toBe(model.length);
        expect([...ids.view()]).toEqual(model);
      }
      const there = new Set(model);
      for (let id = 0; id < 200; id++) expect(ids.has(id)).toBe(there.has(id));
    }
  });

  test("do not take new memory when they only come and go", () => {
    const ids = new SortedIds(Float64Array.from({ length: 1_000 }, (_, at) => 2 * at));
    ids.add([1]);
    const { buffer } = ids.view();
    for (let round = 0; round < 10_000; round++) {
      const taken = ids.view()[round % 1_000]!;
      ids.cut(round % 1_000, 1);
      ids.add([taken]);
    }
    expect(ids.view().buffer).toBe(buffer);
  });
});

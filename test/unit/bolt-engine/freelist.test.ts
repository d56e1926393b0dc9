import { describe, expect, test } from "vitest";
import { Freelist, parseFreelist } from "../../../src/bolt/engine/freelist.js";
import { longestRuns, takeHolesAndRun, takeRuns } from "../../../src/bolt/engine/reservation.js";
import { SortedIds } from "../../../src/bolt/engine/sorted-ids.js";
import { seededRandom } from "./support.js";

const freelist = (...ids: number[]): Freelist => new Freelist(Float64Array.from(ids));
const freeIds = (list: Freelist): number[] => [...list.all()].toSorted((left, right) => left - right);

describe("allocating", () => {
  test("takes the lowest run that is long enough", () => {
    const list = freelist(3, 5, 6, 8, 9, 10, 12);
    expect(list.allocate(3, 1, false)).toBe(8);
    expect(list.allocate(1, 1, false)).toBe(3);
    expect(list.allocate(2, 1, false)).toBe(5);
    expect(list.allocate(2, 1, false)).toBe(0);
    expect(list.allocate(1, 1, false)).toBe(12);
    expect(list.allocate(1, 1, false)).toBe(0);
  });

  test("finds a run again once pages have come in", () => {
    const list = freelist(3, 5);
    expect(list.allocate(2, 7, false)).toBe(0);
    list.free(4, 1, 7);
    list.commit();
    list.release([], 7);
    expect(list.allocate(3, 8, false)).toBe(3);
  });
});

describe("setting pages aside", () => {
  test("takes the longest runs, those for leaves apart from others", () => {
    const list = freelist(3, 5, 6, 8, 9, 10, 12, 20, 21, 22, 23);
    expect(list.reserve(4, 3, 2)).toBe(true);
    expect([1, 1, 1, 1].map(() => list.allocate(1, 1, false, true))).toEqual([8, 9, 10, 20]);
    expect(list.allocate(2, 1, false)).toBe(21);
    expect(list.allocate(1, 1, false)).toBe(23);
    // What was set aside is used up: as ever from here on.
    expect(list.allocate(1, 1, false, true)).toBe(3);
    expect(list.allocate(2, 1, false)).toBe(5);
  });

  test("is not done in too many pieces, nor where there are too few", () => {
    const list = freelist(3, 5, 7, 8);
    expect(list.reserve(2, 2, 2)).toBe(false);
    expect(list.reserve(3, 2, 5)).toBe(false);
    expect(list.freeCount).toBe(4);
    expect(list.reserve(2, 2, 3)).toBe(true);
  });

  test.each<[string, (list: Freelist) => void, number[]]>([
    ["when it ends", (list) => list.endReservation(), [8, 9, 10, 20]],
    ["with the transaction", (list) => list.commit(), [8, 9, 10, 20]],
    ["with all else when that fails", (list) => list.rollback(9), [3, 8, 9, 10, 20]],
  ])("gives back what was not taken, %s", (_when, end, left) => {
    const list = freelist(3, 8, 9, 10, 20);
    const size = list.storedSize();
    list.reserve(2, 2, 3);
    expect(list.storedSize()).toBe(size);
    expect(list.allocate(1, 9, false, true)).toBe(3);
    end(list);
    expect(freeIds(list)).toEqual(left);
  });

  test("does not hide a page that is freed though it is free", () => {
    const list = freelist(3, 8, 9, 10, 20);
    list.reserve(2, 1, 1);
    list.free(10, 1, 5);
    expect(list.findDoubleFree(5)).toBe(10);
  });

  test("parts any ids without losing one", () => {
    const random = seededRandom(7);
    for (let round = 0; round < 300; round++) {
      const ids = Float64Array.from({ length: 700 }, (_, at) => at + 2).filter(() => random() < round / 300);
      const count = Math.floor(random() * (ids.length + 1));
      const list = new SortedIds(ids.slice());
      const runs = longestRuns(list.view(), count);
      const taken = takeRuns(list, runs, count);
      expect(taken.length).toBe(count);
      expect([...taken, ...list.view()].toSorted((a, b) => a - b)).toEqual([...ids]);
      expect([...list.view()]).toEqual([...list.view()].toSorted((a, b) => a - b));
      expect([...taken]).toEqual([...taken].toSorted((a, b) => a - b));
      const lengths = runLengths(ids).toSorted((a, b) => b - a);
      let fewest = 0;
      for (let covered = 0; covered < count; fewest++) covered += lengths[fewest]!;
      expect(runLengths(taken).length).toBe(fewest);
      expect(runs.count).toBe(fewest);
    }
  });

  test("of a small transaction takes lone pages for leaves and one run for the others", () => {
    const list = freelist(3, 5, 6, 8, 9, 10, 12, 20, 21, 22, 23);
    expect(list.reserveFew(3, 3)).toBe(true);
    expect(list.freeCount).toBe(6);
    // Only two are without neighbours; the leaf that comes last goes with the others.
    expect([1, 1, 1].map(() => list.allocate(1, 1, false, true))).toEqual([3, 12, 8]);
    expect(list.allocate(2, 1, false)).toBe(9);
    expect(list.allocate(1, 1, false)).toBe(5);
    list.commit();
    expect(freeIds(list)).toEqual([6, 20, 21, 22, 23]);
  });

  test("of a small transaction is not done where no run is long enough, until pages come in", () => {
    const list = freelist(3, 4, 7, 8);
    expect(list.reserveFew(1, 3)).toBe(false);
    expect(freeIds(list)).toEqual([3, 4, 7, 8]);
    list.free(5, 1, 6);
    list.commit();
    expect(list.reserveFew(1, 3)).toBe(false);
    list.release([], 6);
    expect(list.reserveFew(1, 3)).toBe(true);
  });

  test("of any small transaction loses no page", () => {
    const random = seededRandom(8);
    for (let round = 0; round < 500; round++) {
      const ids = Float64Array.from({ length: 60 }, (_, at) => at + 2).filter(() => random() < round / 500);
      const list = new SortedIds(ids.slice());
      const holes = Math.floor(random() * 5);
      const adjacent = 1 + Math.floor(random() * 6);
      const found = takeHolesAndRun(list, holes, adjacent);
      const taken = found?.taken ?? [];
      expect([...taken, ...list.view()].toSorted((a, b) => a - b)).toEqual([...ids]);
      expect([...list.view()]).toEqual([...list.view()].toSorted((a, b) => a - b));
      if (found === undefined) expect(Math.max(0, ...runLengths(ids))).toBeLessThan(adjacent);
      else {
        expect(runLengths(taken.slice(found.holes))).toEqual([adjacent]);
        const lone = (id: number): boolean => !ids.includes(id - 1) && !ids.includes(id + 1);
        expect(taken.slice(0, found.holes).every(lone)).toBe(true);
        expect(found.holes).toBeLessThanOrEqual(holes);
      }
    }
  });
});

/** How many adjacent ids follow each other, run by run. */
function runLengths(ids: ArrayLike<number>): number[] {
  const lengths: number[] = [];
  for (let at = 0; at < ids.length; at++) {
    if (at > 0 && ids[at - 1] === ids[at]! - 1) lengths[lengths.length - 1]!++;
    else lengths.push(1);
  }
  return lengths;
}

describe("freed pages", () => {
  test("wait until readers of the state before are gone", () => {
    const list = freelist();
    list.free(10, 2, 5);
    expect(list.release([4], 5)).toEqual([]);
    expect(list.pendingCount).toBe(2);
    expect(list.release([5], 5)).toEqual([10, 11]);
    expect(list.freeCount).toBe(2);
  });

  test("that no reader has seen are free although a reader is open", () => {
    const list = freelist(10);
    expect(list.allocate(1, 6, true)).toBe(10);
    list.commit();
    list.free(10, 1, 7);
    list.free(20, 1, 7);
    // The reader started at 5: page 10 was made after that, page 20 before.
    expect(list.release([5], 7)).toEqual([10]);
    expect(list.pendingCount).toBe(1);
  });
});

describe("rolling back", () => {
  test("restores what the transaction took and freed", () => {
    const list = freelist(3, 4, 5, 9);
    list.allocate(2, 6, true);
    list.allocate(1, 6, true);
    list.free(30, 3, 6);
    list.rollback(6);
    expect(freeIds(list)).toEqual([3, 4, 5, 9]);
    expect(list.pendingCount).toBe(0);
  });
});

describe("a page freed twice", () => {
  test("is found within a transaction", () => {
    const list = freelist();
    list.free(10, 2, 5);
    list.free(11, 1, 5);
    expect(list.findDoubleFree(5)).toBe(11);
  });

  test("is found on the free list, among waiting pages and among those just taken", () => {
    const list = freelist(7, 8);
    list.free(20, 1, 4);
    list.allocate(1, 5, false);
    for (const id of [8, 20, 7]) {
      list.free(id, 1, 5);
      expect(list.findDoubleFree(5)).toBe(id);
      list.rollback(5);
      list.allocate(1, 5, false);
    }
    list.free(21, 1, 5);
    expect(list.findDoubleFree(5)).toBeUndefined();
  });
});

describe("the stored form", () => {
  const stored = (list: Freelist): Uint8Array => {
    const written = new Uint8Array(Math.ceil(list.storedSize() / 4096) * 4096);
    list.write(written, 2, written.length / 4096 - 1);
    return written;
  };

  test("holds free and waiting pages, sorted", () => {
    const list = freelist(3, 9);
    list.free(5, 1, 4);
    expect([...(parseFreelist(stored(list), 100) as Float64Array)]).toEqual([3, 5, 9]);
  });

  test.each([65_534, 65_535, 65_536, 70_000])("of %i pages reads back", (count) => {
    const list = new Freelist(Float64Array.from({ length: count }, (_, index) => index + 2));
    const written = stored(list);
    expect(Buffer.from(written).readUInt16LE(10)).toBe(Math.min(count, 0xffff));
    const ids = parseFreelist(written, count + 2) as Float64Array;
    expect(ids.length).toBe(count);
    expect(ids[count - 1]).toBe(count + 1);
  });

  test("keeps page ids over 32 bits", () => {
    const list = freelist(2 ** 33 + 1);
    expect([...(parseFreelist(stored(list), 2 ** 34) as Float64Array)]).toEqual([2 ** 33 + 1]);
  });

  test("is refused with impossible content", () => {
    expect(parseFreelist(stored(freelist(3, 100)), 100)).toMatch(/lists page 100/);
    expect(parseFreelist(stored(freelist(3, 3)), 100)).toMatch(/twice/);
    const overfull = stored(freelist(3));
    overfull[11] = 0x10;
    expect(parseFreelist(overfull, 100)).toMatch(/more than fit/);
  });
});

import { describe, expect, test } from "vitest";
import type { PageHandle } from "../../../src/bolt/engine/page.js";
import { KeyPlaces } from "../../../src/bolt/key-places.js";
import { seededRandom } from "../bolt-engine/support.js";

let serials = 0;

/** Pages' memory, with pairs in it as on a page: the value stands behind its key. */
class Pages {
  readonly places = new KeyPlaces();

  page(pairs: Record<string, string>): PageHandle {
    const bytes = new Uint8Array(Buffer.from(`....${Object.entries(pairs).flat().join("")}`, "latin1"));
    const handle: PageHandle = { bytes, referenced: false, serial: ++serials, slot: 0 };
    let at = 4;
    for (const [key, value] of Object.entries(pairs)) {
      this.places.note(key, handle, at + key.length, value.length);
      at += key.length + value.length;
    }
    return handle;
  }

  find(key: string): string | undefined {
    const bytes = this.places.find(key)?.bytes;
    const { offset, length } = this.places;
    return bytes && Buffer.from(bytes).toString("latin1", offset, offset + length);
  }
}

describe("places of keys", () => {
  test("are found as long as their page is there", () => {
    const pages = new Pages();
    const [one, two] = [pages.page({ "a/b": "1", "a/c": "22" }), pages.page({ b: "3" })];
    expect(["a/b", "a/c", "b", "a", "a/d", ""].map((key) => pages.find(key))).toEqual(["1", "22", "3", ...Array(3)]);
    expect(pages.places.find("a/c")).toBe(one);
    one.bytes = undefined;
    expect(["a/b", "a/c", "b"].map((key) => pages.find(key))).toEqual([undefined, undefined, "3"]);
    pages.page({ "a/b": "4" });
    expect(pages.find("a/b")).toBe("4");
    expect(pages.places.find("b")).toBe(two);
  });

  test("are those of the whole key, where one ends like another", () => {
    const pages = new Pages();
    pages.page({ "a/b/c": "1" });
    expect(["b/c", "c", "/b/c", "x/b/c"].map((key) => pages.find(key))).toEqual(Array(4));
  });

  test("are told apart where keys have the same hash, and of too many such some are not kept", () => {
    const pages = new Pages();
    // They differ in characters only that the hash leaves out.
    const keys = Array.from(
      { length: 26 },
      (_, at) => `${"-".repeat(17)}${String.fromCharCode(97 + at)}${"-".repeat(22)}`,
    );
    const handles = keys.map((key) => pages.page({ [key]: key }));
    const known = keys.filter((key) => pages.find(key) !== undefined);
    expect(known.length).toBe(16);
    expect(known.every((key) => pages.find(key) === key)).toBe(true);
    handles[0]!.bytes = undefined;
    expect(pages.find(keys[0]!)).toBeUndefined();
    pages.page({ [keys[0]!]: "again" });
    expect(pages.find(keys[0]!)).toBe("again");
    expect(pages.find(known.at(-1)!)).toBe(known.at(-1));
  });

  test("are not kept of large values, nor without a handle", () => {
    const pages = new Pages();
    pages.page({ "k\xe9y": "1", long: "x".repeat(4_096), longest: "x".repeat(4_095) });
    pages.places.note("none", undefined, 4, 1);
    expect(["k\xe9y", "long", "none"].map((key) => pages.find(key))).toEqual(["1", undefined, undefined]);
    expect(pages.find("longest")).toHaveLength(4_095);
    expect(pages.places.find(undefined as unknown as string)).toBeUndefined();
    expect(pages.places.find(["longest"] as unknown as string)).toBeUndefined();
  });

  test("agree with a plain map while pages come and go", () => {
    const random = seededRandom(9);
    const pages = new Pages();
    const model = new Map<string, { value: string; handle: PageHandle }>();
    const live: PageHandle[] = [];
    for (let step = 0; step < 20_000; step++) {
      if (live.length > 400 || (random() < 0.3 && live.length > 0)) {
        live.splice(Math.floor(random() * live.length), 1)[0]!.bytes = undefined;
      }
      const pairs: Record<string, string> = {};
      for (let at = 0; at < 4; at++) pairs[`key/${Math.floor(random() * 3_000)}x`] = String(step);
      const handle = pages.page(pairs);
      live.push(handle);
      // Of a key that is on two pages the engine knows one only: the older is no longer of the newest state.
      for (const key of Object.keys(pairs)) {
        const before = model.get(key);
        if (before !== undefined && before.handle.bytes !== undefined) {
          before.handle.bytes = undefined;
          live.splice(live.indexOf(before.handle), 1);
        }
        model.set(key, { value: String(step), handle });
      }
      const key = `key/${Math.floor(random() * 3_000)}x`;
      const known = model.get(key);
      expect(pages.find(key)).toBe(known?.handle.bytes === undefined ? undefined : known.value);
    }
  });

  test("are forgotten when there are too many, and learned anew", () => {
    const pages = new Pages();
    const count = 140_000;
    const keys = Array.from({ length: count }, (_, at) => `k${at}`);
    for (let from = 0; from < count; from += 100) {
      pages.page(Object.fromEntries(keys.slice(from, from + 100).map((key) => [key, key])));
    }
    const known = keys.filter((key) => pages.find(key) !== undefined);
    expect(known.length).toBeLessThanOrEqual(128 * 1024);
    expect(known).toContain(keys.at(-1));
    expect(known.every((key) => pages.find(key) === key)).toBe(true);
  });
});

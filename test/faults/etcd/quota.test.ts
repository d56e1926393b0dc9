import { expect } from "vitest";
import { failureOf } from "../support/calls.js";
import { it, withRig } from "./support.js";

it("a full database refuses puts, each for itself, and still takes deletes in the same batch", () =>
  withRig(
    async (rig) => {
      const store = await rig.openDirect();
      await store.put("old", "1");
      const large = new Uint8Array(1_000_000);
      let written = 0;
      const fill = async (): Promise<void> => {
        for (; written < 100; written++) await store.put(`fill/${written}`, large);
      };
      expect(await failureOf(fill())).toMatchObject({ code: "BACKEND", outcome: "not-applied" });
      const [put, deleted, read] = await Promise.allSettled([
        store.put("new", "1"),
        store.delete("old"),
        store.get("old"),
      ]);
      expect(put).toMatchObject({
        status: "rejected",
        reason: { code: "BACKEND", outcome: "not-applied", key: "new" },
      });
      expect(deleted).toEqual({ status: "fulfilled", value: true });
      expect(read.status).toBe("fulfilled");
      expect(written).toBeGreaterThan(1);
      expect(await rig.held("new")).toBeUndefined();
    },
    { quotaBytes: 16 * 1024 * 1024 },
  ));

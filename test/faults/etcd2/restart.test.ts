import { expect } from "vitest";
import { keepsWritesThroughKills, seesEmptiedServer } from "../support/load.js";
import { it, withRig } from "./support.js";

it("a server killed and started again under load keeps every acknowledged write", () =>
  withRig(async (rig) => {
    const { member } = rig.server;
    await keepsWritesThroughKills(await rig.open(), {
      times: 3,
      killAndStart: () => member.kill().then(() => member.start()),
      held: (key) => rig.value(key),
    });
  }));

it("a server killed in the midst of compare-and-sets: each that was acknowledged happened, none twice", () =>
  withRig(async (rig) => {
    const store = await rig.open();
    let pair = await store.put("n", "0");
    let killed: Promise<void> | undefined;
    for (let n = 1; n <= 400; n++) {
      if (n === 200) killed ??= rig.server.member.kill().then(() => rig.server.member.start());
      try {
        pair = await store.atomicPut("n", String(n), pair, { timeoutMs: 20_000 });
      } catch (error) {
        // Only what is unknown may fail: a write of our own that came through is no conflict.
        expect(error).toMatchObject({ outcome: "unknown" });
        await killed;
        pair = (await store.get("n", { timeoutMs: 20_000 }))!;
        expect([String(n - 1), String(n)]).toContain(pair.text());
        n = Number(pair.text());
      }
    }
    await killed;
    expect(await rig.value("n")).toBe("400");
  }));

it("watches of a server that comes back empty are told, and go on", () =>
  withRig(async (rig) => {
    await seesEmptiedServer(await rig.open(), () => rig.server.restart({ emptyData: true }));
  }));

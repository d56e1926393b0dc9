import { expect } from "vitest";
import { isStoreError } from "../../../src/core/errors.js";
import { keepsWritesThroughKills, seesEmptiedServer } from "../support/load.js";
import { bytes, it, text, withRig } from "./support.js";

it("a server killed and started again under load keeps every acknowledged write", () =>
  withRig(async (rig) => {
    const { member } = rig.server;
    await keepsWritesThroughKills(await rig.open(), {
      times: 3,
      killAndStart: () => member.kill().then(() => member.start()),
      held: async (key) => text((await rig.held(key))?.value),
    });
  }));

it("a server stopped in good order and started again under load applies no write twice", () =>
  withRig(async (rig) => {
    const store = await rig.openDirect({ timeoutMs: 20_000 });
    const acknowledged: string[] = [];
    const unknown: string[] = [];
    const load = { over: false };
    const writer = async (name: string): Promise<void> => {
      for (let n = 0; !load.over; n++) {
        const key = `${name}/${n}`;
        await store.put(key, "1").then(
          () => acknowledged.push(key),
          (error: unknown) => {
            // What surely was not applied is sent again, so that nobody hears of it.
            if (!isStoreError(error) || error.outcome !== "unknown") throw error;
            unknown.push(key);
          },
        );
      }
    };
    const writers = Array.from({ length: 16 }, (_, at) => writer(`once/${at}`));
    for (let stop = 0; stop < 3; stop++) {
      const before = acknowledged.length;
      await expect.poll(() => acknowledged.length, { timeout: 20_000 }).toBeGreaterThan(before + 200);
      await rig.server.member.stop();
      await rig.server.member.start();
    }
    load.over = true;
    await Promise.all(writers);
    const { kvs } = await rig.direct.kv.range({ key: bytes("once/"), rangeEnd: bytes("once0"), limit: 0n });
    const versions = new Map(kvs.map(({ key, version }) => [text(key), version]));
    expect([...versions.values()].filter((version) => version !== 1n)).toEqual([]);
    expect(acknowledged.filter((key) => !versions.has(key))).toEqual([]);
    const accountedFor = new Set([...acknowledged, ...unknown]);
    expect([...versions.keys()].filter((key) => !accountedFor.has(key))).toEqual([]);
  }));

it("watches of a server that comes back empty are told, and go on", () =>
  withRig(async (rig) => {
    await seesEmptiedServer(await rig.open(), () => rig.server.restart({ emptyData: true }));
  }));

it("a token that the server forgot is asked for again, by calls and by watches", () =>
  withRig(
    async (rig) => {
      const auth = { username: "app", password: "secret" };
      const store = await rig.open({ auth });
      await store.put("k", "1");
      const watching = store.watch("k")[Symbol.asyncIterator]();
      expect((await watching.next()).value?.text()).toBe("1");
      await rig.server.member.restart();
      const writes = Array.from({ length: 20 }, (_, at) => store.put(`many/${at}`, "1", { timeoutMs: 20_000 }));
      await Promise.all(writes);
      await store.put("k", "2");
      expect((await watching.next()).value?.text()).toBe("2");
      await watching.return?.();
    },
    { auth: { user: "app", password: "secret" } },
  ));

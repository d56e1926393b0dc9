import { expect } from "vitest";
import { keepsWritesThroughKills, seesEmptiedServer } from "../support/load.js";
import { it, text, withRig } from "./support.js";

it("a server killed and started again under load keeps every acknowledged write", () =>
  withRig(async (rig) => {
    const { member } = rig.server;
    await keepsWritesThroughKills(await rig.open(), {
      times: 3,
      killAndStart: () => member.kill().then(() => member.start()),
      held: async (key) => text((await rig.held(key))?.value),
    });
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

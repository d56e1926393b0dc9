import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { EtcdClient } from "../../../src/etcd/client/index.js";
import { createProxy, type EtcdServer, startEtcd } from "../../servers/index.js";
import { bytes, eventually, failureOf, somethingSent } from "./support/fixtures.js";
import { freePort } from "./support/free-port.js";
import { Recorder } from "./support/recorder.js";

describe("close", () => {
  let server: EtcdServer;

  beforeAll(async () => {
    server = await startEtcd();
  });
  afterAll(() => server?.close());

  it("ends everything under way at once, and refuses what comes later", async () => {
    const link = await createProxy(server.endpoint);
    const client = new EtcdClient({ endpoints: [link.host] });
    const recorder = new Recorder(client, { key: "k" });
    await recorder.created;
    const { id } = await client.leases.grant(60_000);
    link.holdReplies();
    link.resetCount();
    const failures = [
      client.kv.put({ key: bytes("k") }),
      client.kv.range({ key: bytes("k") }),
      client.leases.renew(id),
      client.maintenance.status(),
    ].map(failureOf);
    await somethingSent(link);
    client.close();
    const reasons = (await Promise.all(failures)).map((error) => error.reason);
    expect(reasons).toEqual(["closed", "closed", "closed", "closed"]);
    expect(await failureOf(client.kv.put({ key: bytes("k") }))).toMatchObject({
      reason: "closed",
      outcome: "not-applied",
    });
    expect(client.state).toEqual({ state: "closed" });
    new Recorder(client, { key: "late" }).cancel();
    client.close();
    expect([recorder.errors, recorder.suspensions, client.watcher.size]).toEqual([[], 0, 0]);
    await link.close();
  });

  it("ends calls that wait for a connection", async () => {
    const client = new EtcdClient({ endpoints: [`127.0.0.1:${await freePort()}`] });
    const failure = failureOf(client.kv.put({ key: bytes("k") }));
    client.close();
    expect(await failure).toMatchObject({ reason: "closed", outcome: "not-applied" });
  });

  it.each(["everything", "unreachable", "idle"])("lets the process end (%s)", async (situation) => {
    const program = fileURLToPath(new URL("support/close-and-exit.ts", import.meta.url));
    const endpoint = situation === "unreachable" ? `127.0.0.1:${await freePort()}` : server.endpoint;
    const args = ["--import", "tsx", program, situation, endpoint];
    const { stdout, stderr } = await promisify(execFile)(process.execPath, args, { timeout: 20_000 });
    expect([stdout, stderr]).toEqual(["closed\n", ""]);
  });

  it("lets the process end while a stalled line takes nothing of what was sent", async () => {
    const link = await createProxy(server.endpoint);
    const direct = new EtcdClient({ endpoints: [server.endpoint] });
    const program = fileURLToPath(new URL("support/close-and-exit.ts", import.meta.url));
    const child = execFile(process.execPath, ["--import", "tsx", program, "stalled", link.host], { timeout: 20_000 });
    let printed = "";
    child.stdout!.on("data", (text: string) => (printed += text));
    await eventually(() => printed).toBe("ready\n");
    link.stall("toServer");
    await direct.kv.put({ key: bytes("close-and-exit") });
    const code = await new Promise((resolve) => child.once("exit", resolve));
    expect([printed, code]).toEqual(["ready\nclosed\n", 0]);
    direct.close();
    await link.close();
  });
});

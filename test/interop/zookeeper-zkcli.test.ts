import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { connectZookeeper, type ZookeeperStore } from "../../src/zookeeper/index.js";
import { findZooKeeper, startZooKeeper, type ZooKeeperServer } from "../servers/index.js";

/** What `zkCli.sh` runs, on the jars that the server runs on. */
const mainClass = "org.apache.zookeeper.ZooKeeperMain";

// That of 3.4 resolves no address on the Java of today; the one of 3.8 takes its place.
describe.each([
  ["3.4", "3.8"],
  ["3.8", "3.8"],
  ["3.9", "3.9"],
])("on ZooKeeper %s, zkCli.sh of %s", (version, programVersion) => {
  let server: ZooKeeperServer;
  let store: ZookeeperStore;

  beforeAll(async () => {
    server = await startZooKeeper({ own: true, version });
    store = await connectZookeeper({ endpoints: server.hosts });
  });
  afterAll(async () => {
    await store?.close();
    await server?.close();
  });

  /** Runs one command; the lines of its output that are not the program's own log. */
  async function zkCli(...command: string[]): Promise<string[]> {
    const [java = "", ...args] = (await findZooKeeper(programVersion)).command;
    const { stdout } = await promisify(execFile)(java, [...args, mainClass, "-server", server.hosts, ...command]);
    return stdout.split("\n");
  }

  it("reads what we wrote", async () => {
    const pair = await store.put("a/b", "text of ours");
    await store.put("a/ttl", "short", { ttlMs: 30_000 });
    const lines = await zkCli("get", "/a/b");
    expect(lines).toContain("text of ours");
    expect(await zkCli("ls", "/a")).toContain("[b, ttl]");
    const stat = await zkCli("stat", "/a/b");
    expect(stat).toContain(`mZxid = 0x${(pair.revision >> 32n).toString(16)}`);
    expect(stat).toContain(`dataVersion = ${pair.revision & 0xffffffffn}`);
    expect(await zkCli("stat", "/a/ttl")).toContain(
      `ephemeralOwner = 0x${store.client.sessionCredentials!.id.toString(16)}`,
    );
  });

  it("writes what we read, and our lock stands where its queue can be looked at", async () => {
    await zkCli("create", "/b", "by-hand");
    expect((await store.get("b"))?.text()).toBe("by-hand");
    await zkCli("set", "/a/b", "changed-by-hand");
    expect((await store.get("a/b"))?.text()).toBe("changed-by-hand");
    const hold = await store.newLock("lock", { value: "holder" }).lock();
    expect(await zkCli("get", "/lock")).toContain("holder");
    expect((await zkCli("ls", "/lock___lock")).join("\n")).toMatch(/\[_c_[0-9a-f-]+-lock-\d{10}\]/);
    await hold.unlock();
    await zkCli("delete", "/b");
    expect(await store.get("b")).toBeUndefined();
  });
});

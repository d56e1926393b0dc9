import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { connectZookeeper, type ZookeeperStore } from "../../src/zookeeper/index.js";
import { startZooKeeper, type ZooKeeperServer } from "../servers/index.js";

const program = fileURLToPath(new URL("zookeeper-kazoo.py", import.meta.url));
/** The system's own Python, which finds Debian's python3-kazoo. */
const python = "/usr/bin/python3";

interface Answer {
  value?: string;
  version?: number;
  mzxid?: string;
  children?: string[];
  held?: boolean;
  error?: string;
}

/** kazoo in a Python process of its own. */
class Kazoo {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #lines: AsyncIterator<string>;
  readonly #errors: Buffer[] = [];

  constructor(server: ZooKeeperServer) {
    this.#child = spawn(python, [program, server.hosts]);
    this.#lines = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
    this.#child.stderr.on("data", (chunk: Buffer) => this.#errors.push(chunk));
    this.#child.stdin.on("error", () => {});
  }

  async call(call: string, path: string, more: Record<string, unknown> = {}): Promise<Answer> {
    this.#child.stdin.write(`${JSON.stringify({ call, path, ...more })}\n`);
    const { value, done } = await this.#lines.next();
    if (done === true)
      throw new Error(`kazoo ended (install python3-kazoo): ${Buffer.concat(this.#errors).toString()}`);
    return JSON.parse(value) as Answer;
  }

  async ok(...args: Parameters<Kazoo["call"]>): Promise<Answer> {
    const answer = await this.call(...args);
    expect(answer.error).toBeUndefined();
    return answer;
  }

  kill(): void {
    this.#child.kill("SIGKILL");
  }
}

const hex = (text: string): string => Buffer.from(text).toString("hex");

describe("Kvasir and kazoo share a ZooKeeper", () => {
  let server: ZooKeeperServer;
  let store: ZookeeperStore;
  /** A store whose locks queue below their keys. */
  let below: ZookeeperStore;
  let kazoo: Kazoo;

  beforeAll(async () => {
    server = await startZooKeeper({ own: true });
    store = await connectZookeeper({ endpoints: server.hosts });
    below = await connectZookeeper({ endpoints: server.hosts, lockLayout: "libkv" });
  });
  beforeEach(async () => {
    await store.deleteTree("", { root: true });
    kazoo?.kill();
    kazoo = new Kazoo(server);
  });
  afterAll(async () => {
    kazoo?.kill();
    await Promise.all([store?.close(), below?.close()]);
    await server?.close();
  });

  it("each reads what the other wrote, and sees what the other deletes", async () => {
    const ours = await store.put("a/b", "from us: ü");
    const read = await kazoo.ok("get", "/a/b");
    expect(read.value).toBe(hex("from us: ü"));
    expect(ours.revision).toBe((BigInt(read.mzxid!) << 32n) | BigInt(read.version!));
    await store.put("a/empty", "");
    expect(await kazoo.ok("get", "/a/empty")).toMatchObject({ value: "" });
    expect((await kazoo.ok("children", "/a")).children).toEqual(["b", "empty"]);
    await kazoo.ok("create", "/a/deep/er", { value: hex("from kazoo") });
    expect((await store.get("a/deep/er"))?.text()).toBe("from kazoo");
    // What kazoo's makepath made on the way has no value, and is no key.
    expect(await store.keys("a")).toEqual(["a/b", "a/deep/er", "a/empty"]);
    await kazoo.ok("set", "/a/b", { value: hex("changed") });
    await expect(store.atomicPut("a/b", "late", ours)).rejects.toMatchObject({ code: "KEY_MODIFIED" });
    await store.delete("a/b");
    expect((await kazoo.call("get", "/a/b")).error).toBe("NoNodeError");
    await kazoo.ok("delete", "/a", { recursive: true });
    expect(await store.keys("")).toEqual([]);
  });

  it("watches see what kazoo does", async () => {
    const tree = store.watchTree("t")[Symbol.asyncIterator]();
    await tree.next();
    await kazoo.ok("create", "/t/x/y", { value: hex("1") });
    expect((await tree.next()).value.changes).toMatchObject([{ type: "put", key: "t/x/y" }]);
    await kazoo.ok("set", "/t/x/y", { value: hex("2") });
    expect((await tree.next()).value.pairs[0]?.text()).toBe("2");
    await kazoo.ok("delete", "/t", { recursive: true });
    expect((await tree.next()).value.changes).toMatchObject([{ type: "delete", key: "t/x/y" }]);
    await tree.return?.();
  });

  // Beside the key is Kvasir's own place, below it libkv's. kazoo queues where it is told to.
  it.each([
    ["kvasir", "/lock___lock"],
    ["libkv", "/lock"],
  ] as const)("locks exclude each other, in the layout of %s", async (layout, path) => {
    const mine = layout === "libkv" ? below : store;
    const contenders = async (): Promise<string[]> => (await store.client.getChildren(path)).children;
    const hold = await mine.newLock("lock", { value: "ours" }).lock();
    expect((await kazoo.ok("lock", path, { wait: false })).held).toBe(false);
    let kazooHolds = false;
    const waiting = kazoo.ok("lock", path).then(({ held }) => (kazooHolds = held === true));
    await expect.poll(contenders).toHaveLength(2);
    expect(kazooHolds).toBe(false);
    await hold.unlock();
    expect(await waiting).toBe(true);
    expect(await mine.newLock("lock").tryLock()).toBeUndefined();
    const next = mine.newLock("lock", { value: "ours again" }).lock();
    await expect.poll(contenders).toHaveLength(2);
    await kazoo.ok("unlock", path);
    const again = await next;
    expect(again.token).toBeGreaterThan(hold.token);
    expect((await mine.get("lock"))?.text()).toBe("ours again");
    // A holder of kazoo's whose process dies makes way too, when its session has run out.
    const dying = kazoo.ok("lock", path);
    await expect.poll(contenders).toHaveLength(2);
    await again.unlock();
    expect((await dying).held).toBe(true);
    const last = mine.newLock("lock").lock();
    await expect.poll(contenders).toHaveLength(2);
    kazoo.kill();
    await (await last).unlock();
    // The machinery is no key.
    expect(await store.keys("")).toEqual([]);
  });

  it("one that waits behind others of both kinds is served in the order of the queue", async () => {
    const path = "/lock___lock";
    const order: string[] = [];
    const count = async (): Promise<number> => (await store.client.getChildren(path)).children.length;
    const first = await store.newLock("lock").lock();
    const kazooTurn = kazoo.ok("lock", path).then(async () => {
      order.push("kazoo");
      await kazoo.ok("unlock", path);
    });
    await expect.poll(count).toBe(2);
    const ours = store
      .newLock("lock")
      .lock()
      .then(async (hold) => {
        order.push("ours");
        await hold.unlock();
      });
    await expect.poll(count).toBe(3);
    const second = new Kazoo(server);
    const secondTurn = second.ok("lock", path).then(async () => {
      order.push("second kazoo");
      await second.ok("unlock", path);
    });
    await expect.poll(count).toBe(4);
    await first.unlock();
    await Promise.all([kazooTurn, ours, secondTurn]);
    expect(order).toEqual(["kazoo", "ours", "second kazoo"]);
    second.kill();
  });
});

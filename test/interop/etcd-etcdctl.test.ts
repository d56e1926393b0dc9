import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { afterAll, beforeAll, expect, it } from "vitest";
import { connectEtcd, type EtcdStore } from "../../src/etcd/index.js";
import { type EtcdServer, skipped, startEtcd } from "../servers/index.js";
import { locateProgram, type Program } from "../servers/program.js";
import { etcdReleases, findRelease } from "../servers/releases.js";
import { runCommand } from "../servers/run-command.js";
import { binaryWays } from "../servers/ways.js";

const leftOut = skipped("etcd");
let server: EtcdServer;
let etcdctl: Program;
let store: EtcdStore;

beforeAll(async () => {
  if (leftOut) return;
  const release = findRelease(etcdReleases, "3.4");
  const parts = { name: "etcdctl", binary: "etcdctl", versionArgument: "version", debianPackage: "etcd-client" };
  etcdctl = await locateProgram("etcdctl", binaryWays({ ...parts, release, wanted: undefined }));
  server = await startEtcd({ own: true });
  store = await connectEtcd({ endpoints: server.endpoint });
});

afterAll(async () => {
  await store?.close();
  await server?.close();
});

async function run(...args: string[]): Promise<string> {
  const [file, ...first] = etcdctl.command;
  const { stdout } = await runCommand(file!, [...first, `--endpoints=${server.endpoint}`, ...args], {
    timeoutMs: 20_000,
  });
  return stdout;
}

/** `etcdctl lock`, which holds until it is told to stop; `holds` resolves with the name of its key. */
function lockWithEtcdctl(name: string): { child: ChildProcess; holds: Promise<string>; release(): Promise<void> } {
  const [file, ...first] = etcdctl.command;
  const child = spawn(file!, [...first, `--endpoints=${server.endpoint}`, "lock", "--ttl=5", name], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const ended = once(child, "close");
  const holds = once(createInterface({ input: child.stdout }), "line").then(([line]) => String(line));
  const release = async (): Promise<void> => {
    child.kill("SIGINT");
    await ended;
  };
  return { child, holds, release };
}

it.skipIf(leftOut)("values go both ways, byte for byte", async () => {
  await store.put("values/ours", "from kvasir ✓");
  expect(await run("get", "--print-value-only", "values/ours")).toBe("from kvasir ✓\n");
  await run("put", "values/theirs", "from etcdctl ✓");
  expect((await store.get("values/theirs"))?.text()).toBe("from etcdctl ✓");
  expect((await store.list("values")).map(({ key }) => key)).toEqual(["values/ours", "values/theirs"]);
  const bytes = new Uint8Array([0, 255, 10, 128]);
  await store.put("values/bytes", bytes);
  const [kv] = JSON.parse(await run("get", "-w", "json", "values/bytes")).kvs;
  expect(Buffer.from(kv.value, "base64")).toEqual(Buffer.from(bytes));
  expect(BigInt(kv.mod_revision)).toBe((await store.get("values/bytes"))?.revision);
});

it.skipIf(leftOut)("a watch sees what etcdctl does", async () => {
  const tree = store.watchTree("seen")[Symbol.asyncIterator]();
  await tree.next();
  await run("put", "seen/k", "1");
  expect((await tree.next()).value.changes).toMatchObject([{ type: "put", key: "seen/k" }]);
  await run("del", "seen/k");
  expect((await tree.next()).value.changes).toMatchObject([{ type: "delete", key: "seen/k" }]);
  await tree.return?.();
});

it.skipIf(leftOut)("a lock of ours keeps etcdctl lock out, until it is given back", async () => {
  const hold = await store.newLock("locks/ours", { ttlMs: 5_000 }).lock();
  const theirs = lockWithEtcdctl("locks/ours___lock");
  const got: string[] = [];
  void theirs.holds.then((key) => got.push(key));
  // Both contenders are there, ours first.
  await expect
    .poll(async () => (await run("get", "--prefix", "--keys-only", "locks/ours___lock/")).match(/\S+/g)?.length)
    .toBe(2);
  expect(got).toEqual([]);
  await hold.unlock();
  expect(await theirs.holds).toMatch(/^locks\/ours___lock\/[0-9a-f]+$/);
  await theirs.release();
});

it.skipIf(leftOut)("etcdctl lock keeps ours out, until it is given back", async () => {
  const theirs = lockWithEtcdctl("locks/theirs___lock");
  const key = await theirs.holds;
  expect(await store.newLock("locks/theirs").tryLock()).toBeUndefined();
  const [kv] = JSON.parse(await run("get", "-w", "json", key)).kvs;
  let ours: bigint | undefined;
  const waiting = store
    .newLock("locks/theirs", { value: "me" })
    .lock()
    .then((hold) => {
      ours = hold.token;
      return hold;
    });
  await expect
    .poll(async () => (await run("get", "--prefix", "--keys-only", "locks/theirs___lock/")).match(/\S+/g)?.length)
    .toBe(2);
  expect(ours).toBeUndefined();
  await theirs.release();
  const hold = await waiting;
  expect(hold.token > BigInt(kv.create_revision)).toBe(true);
  expect(await run("get", "--print-value-only", "locks/theirs")).toBe("me\n");
  await hold.unlock();
  expect(await run("get", "--prefix", "--keys-only", "locks/")).toBe("");
});

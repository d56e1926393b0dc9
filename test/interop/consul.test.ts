import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import { connectConsul, type ConsulStore } from "../../src/consul/index.js";
import { findConsul } from "../servers/consul.js";
import { httpOk } from "../servers/http-request.js";
import { type ConsulServer, skipped, startConsul } from "../servers/index.js";
import type { Program } from "../servers/program.js";
import { runCommand } from "../servers/run-command.js";

/** What libkv, valkeyrie and Go's `api.Lock` put on keys: 0x2ddccbc058a50c18, over what a JavaScript number holds. */
const flags = 0x2ddccbc058a50c18n;

const leftOut = skipped("consul");
let server: ConsulServer;
let consul: Program;
let store: ConsulStore;

beforeAll(async () => {
  if (leftOut) return;
  consul = await findConsul();
  server = await startConsul({ own: true, sessionTtlMin: "1s" });
  store = await connectConsul({ endpoints: [server.hosts] });
});
beforeEach(async () => {
  await store?.deleteTree("", { root: true });
});
afterAll(async () => {
  await store?.close();
  await server?.close();
});

function ask(method: string, where: string, body?: string): Promise<string> {
  return httpOk(server.endpoint + where, { method, body, timeoutMs: 10_000 });
}

/** The `consul` command. */
async function run(...args: string[]): Promise<string> {
  const [file, ...first] = consul.command;
  const env = { ...process.env, CONSUL_HTTP_ADDR: server.endpoint };
  return (await runCommand(file!, [...first, ...args], { env, timeoutMs: 20_000 })).stdout;
}

/** A session as Go's `api.Lock` makes it. */
async function goSession(): Promise<string> {
  const body = JSON.stringify({ Name: "Consul API Lock", TTL: "15s", Behavior: "release", NodeChecks: [] });
  return (JSON.parse(await ask("PUT", "/v1/session/create", body)) as { ID: string }).ID;
}

/** Go's `api.Lock` takes and gives back a key so. */
async function goAcquire(key: string, session: string): Promise<boolean> {
  return (await ask("PUT", `/v1/kv/${key}?acquire=${session}&flags=${flags}`, "go")) === "true";
}

it.skipIf(leftOut)("keys, bytes and flags are those of libkv", async () => {
  const bytes = new Uint8Array([0, 255, 10, 61]);
  await store.put("lib/a b/ü", bytes);
  const raw = await ask("GET", "/v1/kv/?recurse");
  // The flags are compared as text, since JSON.parse would round them.
  expect(raw).toContain(`"Flags":${flags},`);
  expect(JSON.parse(raw)).toMatchObject([{ Key: "lib/a b/ü", Value: Buffer.from(bytes).toString("base64") }]);

  await ask("PUT", `/v1/kv/lib/theirs?flags=${flags}`, "by libkv");
  await ask("PUT", "/v1/kv/lib/empty", "");
  expect((await store.get("lib/theirs"))?.text()).toBe("by libkv");
  expect((await store.get("lib/empty"))?.value).toEqual(new Uint8Array());
  const { ModifyIndex } = (JSON.parse(await ask("GET", "/v1/kv/lib/theirs")) as { ModifyIndex: number }[])[0]!;
  expect((await store.get("lib/theirs"))?.revision).toBe(BigInt(ModifyIndex));
  expect((await store.atomicPut("lib/theirs", "2", await store.get("lib/theirs"))).text()).toBe("2");
});

it.skipIf(leftOut)("a store without a prefix deletes everything, and counts its keys", async () => {
  await Promise.all(["a", "b/c", "b/d"].map((key) => store.put(key, "1")));
  await ask("PUT", "/v1/kv/folder/", "");
  expect(await store.deleteTree("", { root: true })).toBe(3);
  expect(await ask("GET", "/v1/kv/?keys")).toBe("[]");
  expect(await store.deleteTree("", { root: true })).toBe(0);
});

it.skipIf(leftOut)("folders that Consul's interface makes are no keys", async () => {
  await ask("PUT", "/v1/kv/folder/", "");
  await ask("PUT", "/v1/kv/folder/key", "1");
  expect(await store.keys("")).toEqual(["folder/key"]);
  const watch = store.watchTree("folder")[Symbol.asyncIterator]();
  const first = await watch.next();
  expect(first.done === true ? [] : first.value.pairs.map(({ key }) => key)).toEqual(["folder/key"]);
  await watch.return?.();
});

it.skipIf(leftOut)("the session of a ttl: behaviour delete, no checks, the shortest lock delay", async () => {
  await store.put("ttl", "1", { ttlMs: 20_000 });
  const [pair] = JSON.parse(await ask("GET", "/v1/kv/ttl")) as { Session: string }[];
  const [session] = JSON.parse(await ask("GET", `/v1/session/info/${pair!.Session}`));
  expect(session).toMatchObject({ Behavior: "delete", TTL: "20000ms", LockDelay: 1_000_000, NodeChecks: [] });
  expect(session.Checks ?? []).toEqual([]);
  // A later plain put frees the key from it.
  await store.put("ttl", "2");
  expect(await ask("GET", "/v1/kv/ttl")).not.toContain("Session");
});

it.skipIf(leftOut)("a lock excludes Go's api.Lock and is excluded by it", async () => {
  const session = await goSession();
  expect(await goAcquire("lock", session)).toBe(true);
  expect(await store.newLock("lock").tryLock()).toBeUndefined();
  const waiting = store.newLock("lock", { value: "ours", ttlMs: 5_000 }).lock();
  expect(await ask("PUT", `/v1/kv/lock?release=${session}&flags=${flags}`, "go")).toBe("true");
  const hold = await waiting;

  const raw = await ask("GET", "/v1/kv/lock");
  expect(raw).toContain(`"Flags":${flags},`);
  const [pair] = JSON.parse(raw) as { Value: string; ModifyIndex: number; Session?: string }[];
  expect(Buffer.from(pair!.Value, "base64").toString()).toBe("ours");
  expect(BigInt(pair!.ModifyIndex)).toBe(hold.token);
  expect(pair!.Session).toBeDefined();
  expect(await goAcquire("lock", session)).toBe(false);
  await hold.unlock();
  expect(await goAcquire("lock", session)).toBe(true);
  await ask("PUT", `/v1/session/destroy/${session}`);
});

it.skipIf(leftOut)("the consul command sees the same keys: kv get, put, delete, export and import", async () => {
  await store.put("app/a", "one");
  await store.put("app/b", new Uint8Array([0, 1, 254]));
  expect(await run("kv", "get", "app/a")).toBe("one\n");
  await run("kv", "put", "app/c", "three");
  expect((await store.get("app/c"))?.text()).toBe("three");
  await run("kv", "delete", "app/c");
  expect(await store.exists("app/c")).toBe(false);

  const exported = await run("kv", "export", "app/");
  await store.deleteTree("app");
  const folder = await mkdtemp(path.join(os.tmpdir(), "kvasir-consul-"));
  try {
    const file = path.join(folder, "export.json");
    await writeFile(file, exported);
    await run("kv", "import", `@${file}`);
  } finally {
    await rm(folder, { recursive: true });
  }
  const list = await store.list("app");
  expect(list.map(({ key, value }) => [key, ...value])).toEqual([
    ["app/a", ...Buffer.from("one")],
    ["app/b", 0, 1, 254],
  ]);
});

it.skipIf(leftOut)("consul lock and a lock on PREFIX/.lock exclude each other", async () => {
  const hold = await store.newLock("jobs/.lock", { ttlMs: 10_000 }).lock();
  await expect(run("lock", "-timeout=300ms", "-try=300ms", "jobs", "true")).rejects.toThrow();
  await hold.unlock();

  const [file, ...first] = consul.command;
  const env = { ...process.env, CONSUL_HTTP_ADDR: server.endpoint };
  const child = spawn(file!, [...first, "lock", "-shell=false", "jobs", "sleep", "60"], { env, stdio: "ignore" });
  const ended = once(child, "close");
  await expect.poll(() => ask("GET", "/v1/kv/jobs/.lock").catch(() => ""), { timeout: 10_000 }).toContain("Session");
  expect(await store.newLock("jobs/.lock").tryLock()).toBeUndefined();
  const waiting = store.newLock("jobs/.lock", { ttlMs: 10_000 }).lock({ timeoutMs: 60_000 });
  child.kill("SIGTERM");
  await ended;
  const own = await waiting;
  expect(own.held).toBe(true);
  await own.unlock();
});

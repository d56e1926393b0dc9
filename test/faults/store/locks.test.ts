import { writeFileSync, readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { connectBolt } from "../../../src/bolt/index.js";
import { Child, temporaryFolder } from "./support.js";
import { stopProcess } from "../../servers/stopped-process.js";

const file = temporaryFolder();

it("a holder that was stopped in its work loses the lock, and knows at its first reading when it goes on", async () => {
  const path = file("busy.db");
  const holder = new Child("./lock-child.ts", [path, "1000", "busy"]);
  const firstToken = BigInt((await holder.line()).split(" ")[1]!);
  await stopProcess(holder.process, `bolt:${path}`);

  await using store = await connectBolt({ path, shared: true });
  const hold = await store.newLock("lock", { ttlMs: 30_000 }).lock({ timeoutMs: 20_000 });
  expect(hold.token).toBeGreaterThan(firstToken);

  holder.tell("are you still the holder?");
  holder.kill("SIGCONT");
  expect(await holder.line(), "before any timer of it ran").toBe("false");
  expect(await holder.line()).toBe("lost LOCK_LOST");
  holder.tell("and now?");
  expect(await holder.line()).toBe("false");

  expect(hold.held, "the one who woke up took nothing away").toBe(true);
  expect((await store.get("lock"))?.revision).toBe(hold.token);
  await hold.unlock();
});

it("a holder that renews keeps the lock, and loses it when it is stopped for longer than the ttl", async () => {
  const path = file("idle.db");
  const holder = new Child("./lock-child.ts", [path, "1000"]);
  await holder.line();
  await using store = await connectBolt({ path, shared: true });
  await expect(store.newLock("lock").lock({ timeoutMs: 2_500 })).rejects.toMatchObject({ code: "TIMEOUT" });
  holder.tell("still?");
  expect(await holder.line()).toBe("true");

  await stopProcess(holder.process, `bolt:${path}`);
  await using hold = await store.newLock("lock", { ttlMs: 30_000 }).lock({ timeoutMs: 20_000 });
  holder.tell("and now?");
  holder.kill("SIGCONT");
  expect([await holder.line(), await holder.line()].sort()).toEqual(["false", "lost LOCK_LOST"]);
  expect(hold.held).toBe(true);
});

it("a holder that is killed leaves the lock after its ttl: nothing at the key, and the next one has it", async () => {
  const path = file("killed.db");
  const holder = new Child("./lock-child.ts", [path, "1000"]);
  const firstToken = BigInt((await holder.line()).split(" ")[1]!);
  await using store = await connectBolt({ path, shared: true });
  expect((await store.get("lock"))?.text()).toBe(String(holder.process.pid));
  holder.kill("SIGKILL");
  await holder.exited;

  for await (const state of store.watch("lock", { signal: AbortSignal.timeout(20_000) })) {
    if (state === undefined) break;
  }
  expect(await store.get("lock")).toBeUndefined();
  expect(await store.list("")).toEqual([]);

  const second = new Child("./lock-child.ts", [path, "1000"]);
  const secondToken = BigInt((await second.line()).split(" ")[1]!);
  expect(secondToken).toBeGreaterThan(firstToken);
  const waiting = store.newLock("lock").lock({ timeoutMs: 20_000 });
  second.kill("SIGKILL");
  expect((await waiting).token, "one who waited before the kill has it too").toBeGreaterThan(secondToken);
});

it("a hundred in one process have the lock one after the other, in the order they came", async () => {
  await using store = await connectBolt({ path: file("queue.db") });
  const lock = (): Promise<{ token: bigint; unlock(): Promise<void> }> => store.newLock("lock").lock();
  const first = await lock();
  const order: number[] = [];
  const tokens: bigint[] = [];
  let inside = 0;
  const all = Array.from({ length: 100 }, async (_, number) => {
    const hold = await lock();
    expect(++inside).toBe(1);
    order.push(number);
    tokens.push(hold.token);
    await new Promise((resolve) => setImmediate(resolve));
    inside--;
    await hold.unlock();
  });
  await first.unlock();
  await Promise.all(all);
  expect(order).toEqual(Array.from({ length: 100 }, (_, number) => number));
  expect(tokens).toEqual([...tokens].sort((left, right) => (left < right ? -1 : 1)));
  expect(await store.get("lock")).toBeUndefined();
});

it("four processes on a shared file never hold the lock together, and the tokens tell their order", async () => {
  const [path, counter] = [file("four.db"), file("counter")];
  writeFileSync(counter, "0");
  const times = 25;
  const children = Array.from({ length: 4 }, () => new Child("./contender-child.ts", [path, counter, String(times)]));
  for (const child of children) expect(await child.line()).toBe("ready");
  for (const child of children) child.tell("go");
  const acquisitions: { token: bigint; count: number; child: number }[] = [];
  await Promise.all(
    children.map(async (child, at) => {
      for (let time = 0; time < times; time++) {
        const [token, count] = (await child.line()).split(" ");
        acquisitions.push({ token: BigInt(token!), count: Number(count), child: at });
      }
      await child.exited;
      expect(child.process.exitCode).toBe(0);
    }),
  );
  expect(readFileSync(counter, "utf8"), "a count that two took together is lost").toBe(String(4 * times));
  const byToken = [...acquisitions].sort((left, right) => (left.token < right.token ? -1 : 1));
  expect(byToken.map(({ count }) => count)).toEqual(Array.from({ length: 4 * times }, (_, at) => at + 1));
  const turns = byToken.filter(({ child }, at) => byToken[at - 1]?.child !== child).length;
  expect(turns, "they did contend").toBeGreaterThan(4);
});

import { expect, it, onTestFinished } from "vitest";
import type { Store } from "../../src/core/store.js";
import { connectEtcd2 } from "../../src/etcd2/index.js";
import { createCandidate } from "../../src/recipes/index.js";
import { connectZookeeper } from "../../src/zookeeper/index.js";
import { startEtcd, startZooKeeper } from "../servers/index.js";
import { Libkv } from "./support/libkv.js";

/** Stands for election until the test ends; resolves when it leads. */
async function lead(store: Store, id: string): Promise<{ stop: () => Promise<void> }> {
  const candidate = createCandidate(store, "service/leader", { id, ttlMs: 20_000 });
  let running: Promise<void> | undefined;
  await new Promise<void>((leads) => {
    running = candidate.run(async (term) => {
      leads();
      await new Promise<void>((over) => term.signal.addEventListener("abort", () => over(), { once: true }));
    });
  });
  const stop = async (): Promise<void> => {
    await candidate.stop();
    await running;
  };
  onTestFinished(stop);
  return { stop };
}

/** The leaders that a follower of docker/leadership tells of: what libkv's watch shows, each change once. */
async function leadersSeen(libkv: Libkv): Promise<string[]> {
  const values = await libkv.seen("service/leader");
  return values.filter((value, at) => value !== values[at - 1]);
}

it("a follower by libkv's watch on etcd v2 sees our leader, that there is none, and the next", async () => {
  const server = await startEtcd({ own: true, version: "3.3", v2: true });
  onTestFinished(() => server.close());
  const store = await connectEtcd2({ endpoints: server.hosts });
  onTestFinished(() => store.close());
  const first = await lead(store, "host-1");
  const libkv = await Libkv.open("-backend=etcd", server.hosts);
  onTestFinished(() => libkv.kill());
  await libkv.ok("watch", "service/leader");
  await expect.poll(() => leadersSeen(libkv)).toEqual(["host-1"]);
  await first.stop();
  await lead(store, "host-2");
  await expect.poll(() => leadersSeen(libkv)).toEqual(["host-1", "", "host-2"]);
});

it("a follower by libkv's watch on ZooKeeper sees our leader, and the next when it looks again", async () => {
  const server = await startZooKeeper({ own: true });
  onTestFinished(() => server.close());
  const store = await connectZookeeper({ endpoints: server.hosts, lockLayout: "libkv" });
  onTestFinished(() => store.close());
  const libkv = await Libkv.open("-backend=zk", "-timeout=4s", server.hosts);
  onTestFinished(() => libkv.kill());
  for (const id of ["host-1", "host-2"]) {
    const leader = await lead(store, id);
    await libkv.ok("watch", "service/leader");
    await expect.poll(() => leadersSeen(libkv)).toEqual([id]);
    await leader.stop();
  }
});

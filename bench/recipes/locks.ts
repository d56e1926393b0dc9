import { connect, type Store } from "kvasir";
import { createProxy } from "../../test/servers/index.js";
import type { Measure } from "../harness/row.js";
import { callers, type Side, throughput } from "../harness/side.js";
import type { BenchBackend } from "./backends.js";

const key = "bench/lock";

async function lockAndUnlock(store: Store): Promise<void> {
  const hold = await store.newLock(key).lock();
  if (!hold.held) throw new Error("the lock is not held");
  await hold.unlock();
}

/** Locks and unlocks one key, with so many who contend for it. */
export function locks(store: Store, contenders: number): Side {
  return throughput((milliseconds) => callers(contenders, milliseconds, () => lockAndUnlock(store)));
}

/** How long one lock and unlock takes on average, in milliseconds; what is allowed is ten times what is usual. */
const limitsMs: Readonly<Record<string, number>> = {
  memory: 2,
  bolt: 20,
  "bolt shared": 50,
  etcd: 30,
  consul: 60,
  etcd2: 30,
  zookeeper: 60,
};

/** How long it takes with one contender and with sixteen. */
export function lockTimes({ name, url }: BenchBackend): Measure[] {
  return [1, 16].map((contenders) => ({
    name: `lock and unlock on ${name}, ${contenders === 1 ? "1 contender" : `${contenders} contenders`}`,
    unit: "ms",
    limit: limitsMs[name] ?? 100,
    ours: async () => {
      const store = await connect(url);
      await locks(store, contenders)(300);
      const { figure } = await locks(store, contenders)(2_000);
      await store.close();
      return 1_000 / figure;
    },
  }));
}

/** How many calls one lock and unlock sends to the server, when nobody else wants the lock. */
export function lockCalls({ name, server }: BenchBackend): Measure[] {
  if (server === undefined) return [];
  return [
    {
      name: `calls of a lock and unlock on ${name}`,
      unit: "calls",
      // ZooKeeper's locks have a session each, to be opened and closed, and directories that come and go.
      limit: name === "zookeeper" ? 20 : 4,
      ours: async () => {
        const proxy = await createProxy(server.endpoint, { count: server.count });
        const store = await connect(`${server.scheme}://${proxy.host}/recipes`);
        await lockAndUnlock(store);
        proxy.resetCount();
        const times = 20;
        for (let time = 0; time < times; time++) await lockAndUnlock(store);
        const { requests } = proxy.count;
        await store.close();
        await proxy.close();
        return requests / times;
      },
    },
  ];
}

/**
 * Watches 10,000 keys, puts each of them, and prints what that took:
 * `node --expose-gc --import tsx watches-child.ts HOST kvasir|etcd3`.
 */
import { Etcd3 } from "etcd3";
import { connectEtcd, type EtcdStore } from "kvasir/etcd";

export interface Watched {
  /** The heap that each watch takes. */
  kibEach: number;
  /** From the first put to the last delivery, divided by the number of keys. */
  microsecondsEach: number;
}

/** Starts the watches; `deliver` is called for each delivery of a put. */
type Start = (deliver: () => void) => Promise<{ close(): unknown }>;

const [host = "", client = ""] = process.argv.slice(2);
const keys = Array.from({ length: 10_000 }, (_, at) => `many/${at}`);

/** Puts by the same store on both sides, so that only the deliveries differ. */
const writer = await connectEtcd({ endpoints: [host], maxPending: keys.length });

const starts: Record<string, Start> = {
  kvasir: async (deliver) => {
    const store = await connectEtcd({ endpoints: [host] });
    await Promise.all(keys.map((key) => watchOne(store, key, deliver)));
    return store;
  },
  etcd3: async (deliver) => {
    const peer = new Etcd3({ hosts: host });
    for (const watcher of await Promise.all(keys.map((key) => peer.watch().key(key).create()))) {
      watcher.on("put", deliver);
    }
    return peer;
  },
};

/** Resolves when the watch has told the state of now; then goes on. */
async function watchOne(store: EtcdStore, key: string, deliver: () => void): Promise<void> {
  const watch = store.watch(key)[Symbol.asyncIterator]();
  await watch.next();
  const follow = async (): Promise<void> => {
    while (!(await watch.next()).done) deliver();
  };
  void follow();
}

function heapUsed(): number {
  globalThis.gc!();
  return process.memoryUsage().heapUsed;
}

let left = 0;
let onAll = (): void => {};
const before = heapUsed();
const watching = await starts[client]!(() => {
  if (--left === 0) onAll();
});
const kibEach = (heapUsed() - before) / 1_024 / keys.length;

/** Each key once; all watches hear of theirs. */
async function round(): Promise<number> {
  left = keys.length;
  const all = new Promise<void>((resolve) => {
    onAll = resolve;
  });
  const start = performance.now();
  const value = String(start);
  await Promise.all([all, ...keys.map((key) => writer.put(key, value))]);
  return ((performance.now() - start) * 1_000) / keys.length;
}

const rounds = [await round(), await round(), await round(), await round(), await round()];
const microsecondsEach = rounds.toSorted((left, right) => left - right)[2]!;
await watching.close();
await writer.close();
// `etcd3` keeps the process alive after its `close()`.
process.stdout.write(`${JSON.stringify({ kibEach, microsecondsEach } satisfies Watched)}\n`, () => process.exit());

/** The Bolt suite: our store and engine next to `lmdb` and Go's bbolt. docs/performance.md says what each row means. */
import { Bbolt } from "./bolt/bbolt.js";
import { fileSize } from "./bolt/file-size.js";
import { Lmdb } from "./bolt/lmdb.js";
import { openLarge } from "./bolt/open-large.js";
import { Ours } from "./bolt/ours.js";
import type { OpenSuite } from "./harness/row.js";

export const openBoltSuite: OpenSuite = async (folder) => {
  const ours = await Ours.open(folder);
  const lmdb = await Lmdb.open(folder);
  const bbolt = await Bbolt.open(folder);
  const withLmdb = { suite: "bolt", peerName: "lmdb" } as const;
  const withBbolt = { suite: "bolt", peerName: "bbolt" } as const;
  return {
    rows: [
      { ...withBbolt, work: "get", inflight: 1, ours: ours.get, peer: bbolt.get, target: 1 },
      { ...withLmdb, work: "get", inflight: 1, ours: ours.get, peer: lmdb.get, target: 2 },
      // The engine without the store has a name of its own, for there is a `get` next to bbolt already.
      {
        suite: "bolt-engine",
        peerName: "bbolt",
        work: "get",
        inflight: 1,
        ours: ours.getInOne,
        peer: bbolt.getInOne,
        target: 1,
      },
      { ...withLmdb, work: "put", inflight: 64, ours: ours.put(64), peer: lmdb.put(64), target: 1 },
      { ...withBbolt, work: "put", inflight: 64, ours: ours.put(64), peer: bbolt.batch(64), target: 10 },
      { ...withBbolt, work: "put", inflight: 1, ours: ours.put(1), peer: bbolt.put, target: 1 },
      { ...withLmdb, work: "put", inflight: 1, ours: ours.put(1), peer: lmdb.put(1) },
      { ...withLmdb, work: "bulk", inflight: 1, ours: ours.bulk, peer: lmdb.bulk, target: 1 },
      { ...withLmdb, work: "list", inflight: 1, ours: ours.list, peer: lmdb.list, target: 1.5 },
      { ...withLmdb, work: "scan", inflight: 1, ours: ours.scan, peer: lmdb.scan, target: 4 },
    ],
    measures: [...openLarge(folder), fileSize(folder)],
    close: async () => {
      await Promise.all([ours.close(), lmdb.close(), bbolt.close()]);
    },
  };
};

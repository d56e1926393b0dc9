/** The etcd suite: our store next to `etcd3`, on one real server. */
import { startEtcd } from "../test/servers/index.js";
import { manyWatches } from "./etcd/many-watches.js";
import { Ours } from "./etcd/ours.js";
import { Peer } from "./etcd/peer.js";
import type { OpenSuite, Row } from "./harness/row.js";

/** How many callers at once, and the ratios to reach where some are set. */
const gets: readonly (readonly [inflight: number, target?: number])[] = [[1, 1.2], [8], [64, 10], [512]];
const puts: readonly (readonly [inflight: number, target?: number])[] = [[1, 1.1], [8], [64, 6], [512]];

export const openEtcdSuite: OpenSuite = async () => {
  const server = await startEtcd({ own: true });
  const ours = await Ours.open(server.hosts);
  const peer = new Peer(server.hosts);
  const withPeer = { suite: "etcd", peerName: "etcd3" } as const;
  const get = ([inflight, target]: (typeof gets)[number]): Row => ({
    ...withPeer,
    work: "get",
    inflight,
    ours: ours.get(inflight),
    peer: peer.get(inflight),
    target,
  });
  const put = ([inflight, target]: (typeof puts)[number]): Row => ({
    ...withPeer,
    work: "put",
    inflight,
    ours: ours.put(inflight),
    peer: peer.put(inflight),
    target,
  });
  return {
    rows: [
      ...gets.map(get),
      ...puts.map(put),
      { ...withPeer, work: "cas", inflight: 64, ours: ours.cas(64), peer: peer.cas(64), target: 4 },
      { ...withPeer, work: "list", inflight: 1, ours: ours.list, peer: peer.list, target: 1.2 },
      { ...withPeer, work: "watch", inflight: 1, ours: ours.watch(0.5), peer: peer.watch(0.5), target: 1 },
      {
        ...withPeer,
        // A name of its own, for there is a `watch` already.
        suite: "etcd-p99",
        work: "watch",
        inflight: 1,
        ours: ours.watch(0.99),
        peer: peer.watch(0.99),
        target: 1,
      },
    ],
    measures: manyWatches(server.hosts),
    close: async () => {
      await Promise.all([ours.close(), peer.close()]);
      await server.close();
    },
  };
};

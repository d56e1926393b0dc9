/** The ZooKeeper suite: our store and our client next to `node-zookeeper-client`, on one real server. */
import { startZooKeeper } from "../test/servers/index.js";
import type { OpenSuite } from "./harness/row.js";
import type { Side } from "./harness/side.js";
import { Client } from "./zookeeper/client.js";
import { Ours } from "./zookeeper/ours.js";
import { Peer } from "./zookeeper/peer.js";

const peerName = "node-zookeeper-client";

export const openZookeeperSuite: OpenSuite = async () => {
  const server = await startZooKeeper({ own: true });
  const ours = await Ours.open(server.hosts);
  const client = await Client.open(server.hosts);
  const peer = await Peer.open(server.hosts);
  const store = { suite: "zookeeper", peerName } as const;
  const alone = { suite: "zookeeper-client", peerName } as const;
  /** Several short turns: what else the machine does meets both sides. */
  const cpuUs = async (side: Side): Promise<number> => {
    await side(500);
    const turns: number[] = [];
    for (let turn = 0; turn < 7; turn++) turns.push((await side(300)).cpuUs);
    return turns.toSorted((left, right) => left - right)[3]!;
  };
  return {
    rows: [
      { ...store, work: "get", inflight: 64, ours: ours.get(64, "stale"), peer: peer.get(64), target: 8 },
      {
        ...store,
        work: "getLinearizable",
        inflight: 64,
        ours: ours.get(64, "linearizable"),
        peer: peer.get(64),
        target: 4,
      },
      { ...store, work: "put", inflight: 64, ours: ours.put(64), peer: peer.put(64), target: 1.5 },
      { ...store, work: "get", inflight: 1, ours: ours.get(1, "stale"), peer: peer.get(1), target: 1 },
      { ...store, work: "put", inflight: 1, ours: ours.put(1), peer: peer.put(1), target: 1 },
      { ...store, work: "list", inflight: 1, ours: ours.list, peer: peer.list, target: 5 },
      { ...alone, work: "get", inflight: 64, ours: client.get(64), peer: peer.get(64) },
      { ...alone, work: "put", inflight: 64, ours: client.put(64), peer: peer.put(64) },
    ],
    measures: [
      {
        name: "CPU of a pipelined get of the client, one request each",
        unit: "us",
        ours: () => cpuUs(client.get(64)),
        limit: { peerName: `a third of ${peerName}`, measure: async () => (await cpuUs(peer.get(64))) / 3 },
      },
      {
        name: "CPU of a put of the store, 64 in flight",
        unit: "us",
        ours: () => cpuUs(ours.put(64)),
        limit: { peerName: `a third of ${peerName}`, measure: async () => (await cpuUs(peer.put(64))) / 3 },
      },
    ],
    close: async () => {
      peer.close();
      await Promise.all([ours.close(), client.close()]);
      await server.close();
    },
  };
};

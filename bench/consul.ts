/** The Consul suite: our store next to `consul` and to `undici` alone, on one real agent. */
import { createProxy, startConsul } from "../test/servers/index.js";
import { Ours } from "./consul/ours.js";
import { Peer } from "./consul/peer.js";
import { Plain } from "./consul/plain.js";
import type { OpenSuite } from "./harness/row.js";

export const openConsulSuite: OpenSuite = async () => {
  // The watches of the peer take a connection each, more than agents accept by default.
  const server = await startConsul({ own: true, extraConfig: { limits: { http_max_conns_per_client: 2_000 } } });
  const ours = await Ours.open(server.hosts);
  const peer = new Peer(server.hosts);
  const plain = new Plain(server.hosts);
  const withPeer = { suite: "consul", peerName: "consul" } as const;
  const withPlain = { suite: "consul", peerName: "undici" } as const;
  return {
    rows: [
      { ...withPeer, work: "get", inflight: 64, ours: ours.get(64, "stale"), peer: peer.get(64, "stale"), target: 8 },
      { ...withPlain, work: "get", inflight: 64, ours: ours.get(64, "stale"), peer: plain.get(64, "stale"), target: 4 },
      {
        ...withPeer,
        work: "getLinearizable",
        inflight: 64,
        ours: ours.get(64, "linearizable"),
        peer: peer.get(64, "consistent"),
        target: 5,
      },
      { ...withPeer, work: "put", inflight: 64, ours: ours.put(64), peer: peer.put(64), target: 8 },
      { ...withPlain, work: "put", inflight: 64, ours: ours.put(64), peer: plain.put(64), target: 4 },
      { ...withPeer, work: "get", inflight: 1, ours: ours.get(1, "stale"), peer: peer.get(1, "stale"), target: 1.1 },
      { ...withPeer, work: "put", inflight: 1, ours: ours.put(1), peer: peer.put(1), target: 1.1 },
      { ...withPeer, work: "cas", inflight: 64, ours: ours.cas(64), peer: peer.cas(64), target: 4 },
      { ...withPeer, work: "watch", inflight: 1, ours: ours.watch, peer: peer.watch, target: 1 },
    ],
    measures: [
      {
        name: "sockets of 500 watches on sibling keys, and of calls",
        unit: "sockets",
        // 8 for calls, and 52 for queries while much happens: 46 for the 500 keys, 4 of single keys (docs/consul.md).
        limit: 60,
        ours: async () => {
          const proxy = await createProxy(server.endpoint);
          const watching = await Ours.open(proxy.host);
          await watching.watch(200);
          const sockets = proxy.connections;
          await watching.close();
          await proxy.close();
          return sockets;
        },
      },
    ],
    close: async () => {
      peer.close();
      await Promise.all([ours.close(), plain.close()]);
      await server.close();
    },
  };
};

/** The recipes suite: locks next to those of `etcd3`; locks, elections, mirrors and discovery on every backend. */
import { connect } from "kvasir";
import type { OpenSuite } from "./harness/row.js";
import { openBackends } from "./recipes/backends.js";
import { discoveryLatency } from "./recipes/discovery.js";
import { Etcd3Locks } from "./recipes/etcd3-locks.js";
import { failover } from "./recipes/failover.js";
import { lockCalls, locks, lockTimes } from "./recipes/locks.js";
import { mirrorReads } from "./recipes/mirror.js";

export const openRecipesSuite: OpenSuite = async (folder) => {
  const backends = await openBackends(folder);
  const etcd = backends.find(({ name }) => name === "etcd")!;
  const store = await connect(etcd.url);
  const peer = new Etcd3Locks(new URL(etcd.server!.endpoint).host);
  return {
    rows: [1, 16].map((inflight) => ({
      suite: "recipes",
      work: "lock" as const,
      inflight,
      peerName: "etcd3",
      ours: locks(store, inflight),
      peer: peer.locks(inflight),
      target: 1,
    })),
    measures: backends.flatMap((backend) => [
      ...lockTimes(backend),
      ...lockCalls(backend),
      ...failover(backend),
      ...mirrorReads(backend),
      ...discoveryLatency(backend),
    ]),
    close: async () => {
      peer.close();
      await store.close();
      await Promise.all(backends.map((backend) => backend.close()));
    },
  };
};

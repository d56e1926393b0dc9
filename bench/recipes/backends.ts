import { join } from "node:path";
import { startConsul, startEtcd, startZooKeeper } from "../../test/servers/index.js";

/** A store to measure: by its URL, so that other processes can use it too. */
export interface BenchBackend {
  readonly name: string;
  readonly url: string;
  /** The server, and how a proxy before it counts calls. */
  readonly server?:
    | { readonly endpoint: string; readonly scheme: string; readonly count: "http1" | "http2" | "zookeeper" }
    | undefined;
  /** Whether another process can stand for election beside this one. */
  readonly manyProcesses: boolean;
  close(): Promise<void>;
}

/** Every backend that the recipes are measured on, each with a server or a file of its own. */
export async function openBackends(folder: string): Promise<BenchBackend[]> {
  const file = join(folder, "recipes.db");
  const sharedFile = join(folder, "shared.db");
  const etcd = await startEtcd({ own: true });
  const consul = await startConsul({ own: true, sessionTtlMin: "1s" });
  const etcd2 = await startEtcd({ own: true, v2: true });
  const zookeeper = await startZooKeeper({ own: true });
  const nothing = async (): Promise<void> => {};
  return [
    { name: "memory", url: "memory:recipes", manyProcesses: false, close: nothing },
    { name: "bolt", url: `bolt:${file}`, manyProcesses: false, close: nothing },
    { name: "bolt shared", url: `bolt:${sharedFile}?shared=true`, manyProcesses: true, close: nothing },
    {
      name: "etcd",
      url: `etcd://${etcd.hosts}/recipes`,
      server: { endpoint: etcd.endpoint, scheme: "etcd", count: "http2" },
      manyProcesses: true,
      close: () => etcd.close(),
    },
    {
      name: "consul",
      url: `consul://${consul.hosts}/recipes`,
      server: { endpoint: consul.endpoint, scheme: "consul", count: "http1" },
      manyProcesses: true,
      close: () => consul.close(),
    },
    {
      name: "etcd2",
      url: `etcd2://${etcd2.hosts}/recipes`,
      server: { endpoint: etcd2.endpoint, scheme: "etcd2", count: "http1" },
      manyProcesses: true,
      close: () => etcd2.close(),
    },
    {
      name: "zookeeper",
      url: `zk://${zookeeper.hosts}/recipes?sessionTimeoutMs=2000`,
      server: { endpoint: zookeeper.endpoint, scheme: "zk", count: "zookeeper" },
      manyProcesses: true,
      close: () => zookeeper.close(),
    },
  ];
}

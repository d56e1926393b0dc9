/** Real servers for tests. See README.md in this folder. */
export { type ConsulOptions, ConsulServer, startConsul } from "./consul.js";
export { type EtcdOptions, EtcdServer, startEtcd } from "./etcd.js";
export type { Member } from "./member.js";
export { startZooKeeper, type ZooKeeperOptions, ZooKeeperServer } from "./zookeeper.js";

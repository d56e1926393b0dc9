/** Real servers for tests. README.md in this folder says how to use them. */
export { testCertificates } from "./certificates.js";
export { type ConsulOptions, ConsulServer, startConsul } from "./consul.js";
export { type EtcdOptions, EtcdServer, startEtcd } from "./etcd.js";
export { httpOk, httpRequest } from "./http-request.js";
export type { Member } from "./member.js";
export { createProxy, type ProxyOptions, TcpProxy } from "./proxy.js";
export { skipped } from "./skipped.js";
export { waitUntil } from "./wait-until.js";
export { startZooKeeper, type ZooKeeperOptions, ZooKeeperServer } from "./zookeeper.js";
export { findZooKeeper } from "./zookeeper-program.js";

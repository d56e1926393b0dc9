/** Real servers for tests. README.md in this folder says how to use them. */
export { type Certificates, type ClientTls, clientTls, testCertificates } from "./certificates.js";
export { type ConsulOptions, ConsulServer, findConsul, startConsul } from "./consul.js";
export { type EtcdOptions, EtcdServer, findEtcd, startEtcd } from "./etcd.js";
export { httpOk, httpRequest } from "./http-request.js";
export type { Member } from "./member.js";
export { createProxy, type HeldReplies, type ProxyOptions, type StallDirection, TcpProxy } from "./proxy.js";
export { skipped } from "./skipped.js";
export { waitUntil } from "./wait-until.js";
export { startZooKeeper, type ZooKeeperOptions, ZooKeeperServer } from "./zookeeper.js";
export { findZooKeeper } from "./zookeeper-program.js";

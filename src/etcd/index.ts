import { invalid } from "../core/arguments.js";
import { canonicalDirectory } from "../core/keys.js";
import { defaults } from "../core/options.js";
import { systemClock } from "../util/clock.js";
import { EtcdClient, type EtcdClientOptions } from "./client/index.js";
import { Cluster } from "./cluster.js";
import { EtcdDriver } from "./driver.js";
import { KeySpace } from "./key-space.js";
import { endpointList, type EtcdOptions, loadTls } from "./options.js";
import { EtcdStore } from "./store.js";

export { type EtcdOptions, etcdOptionsFromUrl, type EtcdStoreTls } from "./options.js";
export { EtcdStore } from "./store.js";

/**
 * Opens a store on an etcd cluster (3.4 or later). Rejects with `UNREACHABLE` when no endpoint answers within
 * `connectTimeoutMs`, and with `UNAUTHENTICATED` when the cluster does not take the user and password.
 */
export async function connectEtcd(options: EtcdOptions): Promise<EtcdStore> {
  const endpoints = endpointList(options);
  const keys = new KeySpace(canonicalDirectory(options.prefix ?? ""));
  const clock = options.clock ?? systemClock;
  const { auth, timeoutMs, dialTimeoutMs, keepalive, watch } = options;
  const tls = await loadTls(options.tls);
  const client = createClient({ endpoints, tls, auth, timeoutMs, dialTimeoutMs, keepalive, watch, clock });
  const endpoint = endpoints.map((text) => text.replace(/^https?:\/\//, "")).join(",");
  const checksPermissions = auth !== undefined || tls?.cert !== undefined;
  const driver = new EtcdDriver(new Cluster({ client, keys, clock, endpoint, checksPermissions }));
  try {
    await driver.ping({ deadline: clock.now() + (options.connectTimeoutMs ?? defaults.connectTimeoutMs) });
    return new EtcdStore(driver, client, options);
  } catch (error) {
    client.close();
    throw error;
  }
}

function createClient(options: EtcdClientOptions): EtcdClient {
  try {
    return new EtcdClient(options);
  } catch (error) {
    throw error instanceof TypeError ? invalid(error.message) : error;
  }
}

import { isStoreError } from "../core/errors.js";
import { canonicalDirectory } from "../core/keys.js";
import { defaults } from "../core/options.js";
import { invalid } from "../core/arguments.js";
import { systemClock } from "../util/clock.js";
import { zookeeperCapabilities } from "./capabilities.js";
import { BadArgumentsError, connect, openAcl, type ZooKeeperClient } from "./client/index.js";
import { ZookeeperDriver } from "./driver.js";
import { Ensemble } from "./ensemble.js";
import { storeError } from "./errors.js";
import { LockSessions } from "./lock-sessions.js";
import { clientOptions, defaultSessionTimeoutMs, endpointList, layoutOf, type ZookeeperOptions } from "./options.js";
import { NodePaths } from "./paths.js";
import { ZookeeperStore } from "./store.js";

export type { LockLayout } from "./lock-layout.js";
export { type ZookeeperOptions, zookeeperOptionsFromUrl, type ZookeeperTls } from "./options.js";
export { ZookeeperStore } from "./store.js";

/**
 * Opens a store on a ZooKeeper ensemble (3.4 or later). Rejects with `UNREACHABLE` when no server grants a session within
 * `connectTimeoutMs`, and with `UNAUTHENTICATED` when they do not take the credentials.
 */
export async function connectZookeeper(options: ZookeeperOptions): Promise<ZookeeperStore> {
  const clock = options.clock ?? systemClock;
  const endpoint = endpointList(options).join(",");
  const lockLayout = layoutOf(options.lockLayout) ?? "kvasir";
  const paths = new NodePaths(canonicalDirectory(options.prefix ?? ""));
  const common = await clientOptions(options);
  const timeoutMs = options.connectTimeoutMs ?? defaults.connectTimeoutMs;
  const open = (sessionTimeoutMs: number) => connect({ ...common, timeoutMs, sessionTimeoutMs });
  const askedMs = options.sessionTimeoutMs ?? defaultSessionTimeoutMs;
  let client: ZooKeeperClient | undefined;
  try {
    client = await open(askedMs);
    const ensemble = new Ensemble({ client, paths, clock, endpoint, acl: options.acl ?? openAcl });
    const granted = ensemble.session?.timeoutMs ?? askedMs;
    const locks = new LockSessions(ensemble, granted, open);
    const capabilities = zookeeperCapabilities(granted, options.maxRequestBytes ?? 0xfffff);
    return new ZookeeperStore(new ZookeeperDriver({ ensemble, locks, lockLayout, capabilities }), client, options);
  } catch (error) {
    await client?.close();
    if (error instanceof BadArgumentsError) throw invalid(error.message);
    throw isStoreError(error) ? error : storeError(error, endpoint, false);
  }
}

import { ManagedStore } from "../core/managed-store.js";
import type { StoreOptions } from "../core/options.js";
import type { ZooKeeperClient } from "./client/index.js";
import type { ZookeeperDriver } from "./driver.js";

/** A store on a ZooKeeper ensemble: the common contract, and the client for what only ZooKeeper can. */
export class ZookeeperStore extends ManagedStore {
  /** The store's own client, closed with it. Its paths are ZooKeeper's: the store's prefix is not put before them. */
  readonly client: ZooKeeperClient;

  /** @internal */
  constructor(driver: ZookeeperDriver, client: ZooKeeperClient, options: StoreOptions) {
    super(driver, options);
    this.client = client;
  }
}

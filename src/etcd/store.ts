import { ManagedStore } from "../core/managed-store.js";
import type { StoreOptions } from "../core/options.js";
import type { EtcdClient } from "./client/index.js";
import type { EtcdDriver } from "./driver.js";

/** A store on an etcd cluster: the common contract, and the client for what only etcd can. */
export class EtcdStore extends ManagedStore {
  /** The store's own client, closed with it. Its keys are etcd's: the store's prefix is not put before them. */
  readonly client: EtcdClient;

  /** @internal */
  constructor(driver: EtcdDriver, client: EtcdClient, options: StoreOptions) {
    super(driver, options);
    this.client = client;
  }
}

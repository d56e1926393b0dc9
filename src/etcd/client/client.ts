import { EtcdAuthAdmin, EtcdMaintenance } from "./admin.js";
import { EtcdChannel } from "./channel.js";
import type { EtcdConnectionState } from "./endpoints.js";
import { EtcdKv } from "./kv.js";
import { EtcdLeases } from "./lease.js";
import type { ChannelSettings } from "./options.js";
import type { WatcherSettings } from "./watch-pulse.js";
import { EtcdWatcher } from "./watcher.js";

export interface EtcdClientOptions extends ChannelSettings {
  /** How a watch stream that has fallen silent is told from one with nothing to say. */
  watch?: WatcherSettings | undefined;
}

/** A client of one etcd cluster (v3 API). Connects at the first call. */
export class EtcdClient {
  readonly kv: EtcdKv;
  readonly leases: EtcdLeases;
  readonly watcher: EtcdWatcher;
  readonly maintenance: EtcdMaintenance;
  readonly auth: EtcdAuthAdmin;
  readonly #channel: EtcdChannel;

  constructor(options: EtcdClientOptions) {
    this.#channel = new EtcdChannel(options);
    this.kv = new EtcdKv(this.#channel);
    this.leases = new EtcdLeases(this.#channel);
    this.watcher = new EtcdWatcher(this.#channel, options.watch);
    this.maintenance = new EtcdMaintenance(this.#channel);
    this.auth = new EtcdAuthAdmin(this.#channel);
  }

  get state(): EtcdConnectionState {
    return this.#channel.state;
  }

  onStateChange(listener: (state: EtcdConnectionState) => void): () => void {
    return this.#channel.onStateChange(listener);
  }

  /** Ends everything: calls under way reject with reason `closed`, and nothing keeps the process alive any more. */
  close(): void {
    this.watcher.close();
    this.leases.close();
    this.#channel.close();
  }
}

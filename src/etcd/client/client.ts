import { EtcdAuthAdmin, EtcdMaintenance } from "./admin.js";
import { EtcdChannel } from "./channel.js";
import type { EtcdConnectionState } from "./endpoints.js";
import { EtcdKv } from "./kv.js";
import type { ChannelSettings } from "./options.js";

export type EtcdClientOptions = ChannelSettings;

/** A client of one etcd cluster (v3 API). Connects at the first call. */
export class EtcdClient {
  readonly kv: EtcdKv;
  readonly maintenance: EtcdMaintenance;
  readonly auth: EtcdAuthAdmin;
  readonly #channel: EtcdChannel;

  constructor(options: EtcdClientOptions) {
    this.#channel = new EtcdChannel(options);
    this.kv = new EtcdKv(this.#channel);
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
    this.#channel.close();
  }
}

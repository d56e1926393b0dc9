import type {
  EtcdClient,
  EtcdError,
  EtcdWatch,
  Event,
  WatchRequestOptions,
} from "../../../../src/etcd/client/index.js";
import { bytes, text } from "./fixtures.js";

/** A watch that keeps what it is told. */
export class Recorder {
  readonly #watch: EtcdWatch;
  readonly events: Event[] = [];
  readonly revisions: bigint[] = [];
  readonly errors: EtcdError[] = [];
  suspensions = 0;
  resumptions = 0;
  /** Resolves with the first revision that will be seen. */
  readonly created: Promise<bigint>;
  readonly compacted: Promise<bigint>;

  constructor(client: EtcdClient, options: Omit<WatchRequestOptions, "key"> & { key: string }) {
    let onCreated!: (revision: bigint) => void;
    let onCompacted!: (revision: bigint) => void;
    this.created = new Promise((resolve) => (onCreated = resolve));
    this.compacted = new Promise((resolve) => (onCompacted = resolve));
    this.#watch = client.watcher.watch(
      { ...options, key: bytes(options.key) },
      {
        onEvents: (events, revision) => {
          this.events.push(...events);
          this.revisions.push(revision);
        },
        onCreated,
        onCompacted,
        onSuspended: () => (this.suspensions += 1),
        onResumed: () => (this.resumptions += 1),
        onError: (error) => this.errors.push(error),
      },
    );
  }

  /** Key and value of each event; `-key` for a deletion. */
  get seen(): string[] {
    return this.events.map(({ type, kv }) =>
      type === 1 ? `-${text(kv?.key)}` : `${text(kv?.key)}=${text(kv?.value)}`,
    );
  }

  cancel(): void {
    this.#watch.cancel();
  }
}

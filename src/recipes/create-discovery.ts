import { randomUUID } from "node:crypto";
import { invalid, positiveInteger } from "../core/arguments.js";
import { StoreError } from "../core/errors.js";
import { canonicalDirectory } from "../core/keys.js";
import { defaults } from "../core/options.js";
import type { CallOptions, ReadOptions, Store, WatchOptions } from "../core/store.js";
import { systemClock } from "../util/clock.js";
import { createDeferred } from "../util/deferred.js";
import type {
  Discovery,
  DiscoveryOptions,
  Instance,
  PickStrategy,
  RegisterOptions,
  Registration,
  ServiceChange,
} from "./discovery.js";
import { checkInstance, segment } from "./discovery-entry.js";
import { Picker } from "./discovery-picker.js";
import { readInstance, ServiceState } from "./discovery-watch.js";
import { hostAndPort } from "./host-and-port.js";
import { mapIterable } from "./mapped-iterable.js";
import { EntryKeeper } from "./registration.js";
import { SignalHandler } from "./signal-handler.js";

/** Service discovery on any store: entries with a ttl, renewed while their instances live and are healthy. */
export function createDiscovery(store: Store, options: DiscoveryOptions = {}): Discovery {
  return new StoreDiscovery(store, options);
}

/** A service that is picked from, and the end of the watch that feeds it. */
interface PickedService {
  readonly picker: Picker;
  readonly ready: Promise<void>;
}

class StoreDiscovery implements Discovery {
  readonly #store: Store;
  readonly #directory: string;
  readonly #options: DiscoveryOptions;
  readonly #failureMemoryMs: number;
  readonly #registrations = new Map<string, EntryKeeper>();
  readonly #picked = new Map<string, PickedService>();
  readonly #closed = new AbortController();
  readonly #signals: SignalHandler | undefined;

  constructor(store: Store, options: DiscoveryOptions) {
    this.#store = store;
    this.#options = options;
    this.#directory = canonicalDirectory(options.directory ?? "services");
    if (this.#directory === "") throw invalid("discovery needs a directory of its own, not the root");
    this.#failureMemoryMs = positiveInteger("failureMemoryMs", options.failureMemoryMs) ?? 30_000;
    const { deregisterOn = [] } = options;
    if (deregisterOn.length > 0)
      this.#signals = new SignalHandler(deregisterOn, () => this.close().catch(() => undefined));
  }

  async register(options: RegisterOptions): Promise<Registration> {
    this.#checkOpen();
    const { address, port, check, signal, timeoutMs } = options;
    const service = segment("service", options.service);
    const id = segment("id", options.id ?? hostAndPort({ address, port }));
    const instance = { service, id, address, port, meta: { ...options.meta }, incarnation: randomUUID() };
    checkInstance(instance);
    const key = `${service}/${id}`;
    if (this.#registrations.has(key)) throw invalid(`${key} is registered here already; deregister it first`);
    const registration: EntryKeeper = new EntryKeeper({
      store: this.#store.namespace(this.#directory),
      key,
      fullKey: `${this.#directory}/${key}`,
      instance,
      ttlMs: positiveInteger("ttlMs", options.ttlMs) ?? defaults.lockTtlMs,
      check,
      onEnd: () => {
        if (this.#registrations.get(key) === registration) this.#registrations.delete(key);
      },
    });
    this.#registrations.set(key, registration);
    await registration.start({ signal, timeoutMs });
    return registration;
  }

  async services(options?: ReadOptions): Promise<string[]> {
    const names = await this.#store.keys(this.#directory, { ...options, depth: 1 });
    const directories = names.filter((name) => name.endsWith("/"));
    return directories.map((name) => name.slice(this.#directory.length + 1, -1));
  }

  async instances(service: string, options?: ReadOptions): Promise<Instance[]> {
    const pairs = await this.#store.list(this.#directoryOf(service), { ...options, depth: 1 });
    return pairs.flatMap((pair) => readInstance(pair, this.#options.onInvalid) ?? []);
  }

  watch(service: string, options?: WatchOptions): AsyncIterable<ServiceChange> {
    const directory = this.#directoryOf(service);
    return mapIterable(this.#store.watchTree(directory, options), () => {
      const state = new ServiceState(directory, this.#options.onInvalid);
      return (item) => {
        const change = state.take(item);
        return change && { item: change };
      };
    });
  }

  async pick(service: string, strategy: PickStrategy = "round-robin"): Promise<Instance | undefined> {
    this.#checkOpen();
    const picked = this.#picked.get(service) ?? this.#startPicking(service);
    await picked.ready;
    return picked.picker.pick(strategy);
  }

  reportFailure(instance: Instance): void {
    this.#picked.get(instance.service)?.picker.reportFailure(instance);
  }

  async close(options?: CallOptions): Promise<void> {
    this.#closed.abort(new StoreError("CLOSED", "the discovery was closed", { backend: this.#store.backend }));
    this.#picked.clear();
    try {
      await Promise.all(Array.from(this.#registrations.values(), (registration) => registration.deregister(options)));
    } finally {
      this.#signals?.close();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // Each is tried on, and its ttl ends what cannot be taken away.
    await this.close().catch(() => undefined);
  }

  #startPicking(service: string): PickedService {
    const picker = new Picker(systemClock, this.#failureMemoryMs);
    const ready = createDeferred<void>();
    const picked: PickedService = { picker, ready: ready.promise };
    this.#picked.set(service, picked);
    const follow = async (): Promise<void> => {
      for await (const change of this.watch(service, { signal: this.#closed.signal })) {
        picker.take(change);
        ready.resolve();
      }
      throw new StoreError("CLOSED", "the store is closed", { backend: this.#store.backend });
    };
    follow().catch((error: unknown) => {
      // Whoever waits is told, and a later pick begins anew.
      if (this.#picked.get(service) === picked) this.#picked.delete(service);
      ready.reject(error);
    });
    return picked;
  }

  #directoryOf(service: string): string {
    return `${this.#directory}/${segment("service", service)}`;
  }

  #checkOpen(): void {
    this.#closed.signal.throwIfAborted();
  }
}

import type { StoreOptions } from "../core/options.js";
import { ManagedStore } from "../core/managed-store.js";
import type { StoreUrl } from "../core/store-url.js";
import { ShiftedClock } from "../util/shifted-clock.js";
import { BoltFile } from "./bolt-file.js";
import { BoltDriver } from "./driver.js";
import { FaultyDriver, type FailureOptions, type FailingCall } from "./faulty-driver.js";

export type { FailingCall, FailureOptions } from "./faulty-driver.js";

/** How to make a store in memory. */
export interface MemoryOptions extends StoreOptions {
  /** Stores of the same name share their data within the process, until the last is closed. Without one it is private. */
  name?: string | undefined;
}

/** What stores of one name share. */
interface SharedMemory {
  readonly file: BoltFile;
  readonly clock: ShiftedClock;
}

const bucket = "kvasir";
const byName = new Map<string, Promise<SharedMemory>>();

/**
 * The Bolt store on memory, with handles for the tests of programs that use a store: time that can be moved, a
 * connection that can be lost, locks that can be taken away, calls that can fail.
 */
export class MemoryStore extends ManagedStore {
  readonly #driver: FaultyDriver;
  readonly #memory: SharedMemory;

  /** @internal */
  constructor(driver: FaultyDriver, memory: SharedMemory, options: StoreOptions) {
    super(driver, { ...options, clock: memory.clock });
    this.#driver = driver;
    this.#memory = memory;
  }

  /** Moves the time of all stores on this memory forward; ttls and lock deadlines pass. Resolves when that was dealt with. */
  async advance(byMs: number): Promise<void> {
    await this.#memory.clock.advance(byMs);
  }

  /** Cuts this store off, as a lost connection would: calls wait for their timeout, leases are not renewed. */
  suspend(): void {
    this.#driver.suspend();
  }

  /** Ends `suspend()`; resolves when the store is connected again. */
  async resume(): Promise<void> {
    this.#driver.resume();
    await this.ping();
  }

  /** Takes a lock, or a key with a ttl, from its holder, as an expired session would; whether there was one. */
  loseLock(key: string): Promise<boolean> {
    return this.#driver.loseLease(key);
  }

  /** Makes the next call of this kind fail; see `FailureOptions`. */
  failNext(call: FailingCall, failure: FailureOptions): void {
    this.#driver.failNext(call, failure);
  }
}

/** A store in memory for tests, with everything that a store on a file does. */
export function createMemoryStore(options: MemoryOptions = {}): Promise<MemoryStore> {
  return connectMemory(options);
}

/** A store in memory; gone when the last store on it is closed. */
export async function connectMemory(options: MemoryOptions = {}): Promise<MemoryStore> {
  const memory = await openMemory(options.name);
  const session = await memory.file.session(bucket, { deadline: Number.POSITIVE_INFINITY });
  const driver = new FaultyDriver(new BoltDriver(memory.file, session), session, memory.clock);
  return new MemoryStore(driver, memory, options);
}

/** `memory:` or `memory:NAME`. */
export function memoryOptionsFromUrl(url: StoreUrl): MemoryOptions {
  return { name: url.path === "" ? undefined : url.path };
}

async function openMemory(name: string | undefined): Promise<SharedMemory> {
  const open = async (): Promise<SharedMemory> => {
    const clock = new ShiftedClock();
    const bootClock = { boot: "memory", now: () => clock.now() };
    const onClosed = (): void => {
      if (name !== undefined) byName.delete(name);
    };
    return { file: await BoltFile.inMemory(`memory:${name ?? ""}`, { clock, bootClock }, onClosed), clock };
  };
  if (name === undefined) {
    const memory = await open();
    memory.file.join();
    return memory;
  }
  const opening = byName.get(name) ?? open();
  byName.set(name, opening);
  const memory = await opening;
  memory.file.join();
  return memory;
}

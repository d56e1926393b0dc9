import { positiveInteger } from "../core/arguments.js";
import { isStoreError } from "../core/errors.js";
import { canonicalDirectory } from "../core/keys.js";
import { ManagedStore } from "../core/managed-store.js";
import { defaults } from "../core/options.js";
import { Backoff } from "../util/backoff.js";
import { type Clock, systemClock } from "../util/clock.js";
import { sleep } from "../util/sleep.js";
import { Etcd2Client } from "./client/client.js";
import { Directories } from "./directories.js";
import { Etcd2Driver } from "./driver.js";
import { KeySpace } from "./key-space.js";
import { defaultWatchCheckMs, endpointList, type Etcd2Options, loadTls } from "./options.js";

export { type Etcd2Options, etcd2OptionsFromUrl, type Etcd2Tls } from "./options.js";

/** A store on the v2 API of an etcd cluster. */
export type Etcd2Store = ManagedStore;

/**
 * Opens a store on the v2 API of an etcd cluster (3.3, or later up to 3.5 with `--enable-v2`). Rejects with `UNREACHABLE`
 * or `TIMEOUT` when no member with a leader answers within `connectTimeoutMs`, and with `NOT_SUPPORTED` when the server
 * does not serve the v2 API.
 */
export async function connectEtcd2(options: Etcd2Options): Promise<Etcd2Store> {
  const endpoints = endpointList(options);
  const keys = new KeySpace(canonicalDirectory(options.prefix ?? ""));
  const clock = options.clock ?? systemClock;
  const watchCheckMs = positiveInteger("watchCheckMs", options.watchCheckMs) ?? defaultWatchCheckMs;
  const client = new Etcd2Client({ endpoints, tls: await loadTls(options), auth: options.auth, clock });
  const directories = new Directories(client, clock);
  const driver = new Etcd2Driver({ client, keys, clock, directories, watchCheckMs });
  try {
    await untilReachable(clock.now() + (options.connectTimeoutMs ?? defaults.connectTimeoutMs), clock, driver);
    return new ManagedStore(driver, options);
  } catch (error) {
    await client.close();
    throw error;
  }
}

/** Asks until a member answers, an answer is final, or the time is over. */
async function untilReachable(deadline: number, clock: Clock, driver: Etcd2Driver): Promise<void> {
  const backoff = new Backoff({ initialMs: 50, maximumMs: 500 });
  for (;;) {
    try {
      return await driver.ping({ deadline });
    } catch (error) {
      const pauseMs = backoff.next();
      if (!isStoreError(error, "UNREACHABLE") || clock.now() + pauseMs >= deadline) throw error;
      await sleep(pauseMs, { clock });
    }
  }
}

import { positiveInteger } from "../core/arguments.js";
import { StoreError } from "../core/errors.js";
import { canonicalDirectory, directoryPrefix } from "../core/keys.js";
import { ManagedStore } from "../core/managed-store.js";
import { defaults, type StoreOptions } from "../core/options.js";
import type { StoreUrl } from "../core/store-url.js";
import { Backoff } from "../util/backoff.js";
import { systemClock } from "../util/clock.js";
import { sleep } from "../util/sleep.js";
import { BlockingQueries } from "./client/blocking-queries.js";
import { blockingConnections, ConsulHttp, type ConsulHttpOptions, type ConsulTls } from "./client/http.js";
import { refuseKey } from "./capabilities.js";
import { ConsulDriver } from "./driver.js";
import { storeError } from "./errors.js";
import { minimumSessionTtl } from "./sessions.js";

export type { ConsulTls } from "./client/http.js";

/** How to open a store on Consul. */
export interface ConsulOptions extends StoreOptions {
  /** Agents as `host:port`, or `unix:/path`. Default `127.0.0.1:8500`. */
  endpoints?: readonly string[] | undefined;
  /** Everything is stored below this directory. Default: the root. */
  prefix?: string | undefined;
  /** TLS, with a client certificate where the agents ask for one; `true` for the system's authorities. */
  tls?: boolean | ConsulTls | undefined;
  /** An ACL token. */
  token?: string | undefined;
  /** A file with an ACL token, read again when the agent refuses the one before. */
  tokenFile?: string | undefined;
  datacenter?: string | undefined;
  /** Enterprise only; passed through. */
  namespace?: string | undefined;
  /** Enterprise only; passed through. */
  partition?: string | undefined;
  /** Take what is not given from `CONSUL_HTTP_ADDR` and `CONSUL_HTTP_TOKEN`. Default false. */
  fromEnvironment?: boolean | undefined;
  /**
   * How long Consul refuses a lock after it was taken from its holder, in milliseconds. Default 1: a Kvasir holder knows
   * of its loss before, by its own clock. Consul's own default is 15,000, for holders that do not.
   */
  lockDelayMs?: number | undefined;
}

/** A store on Consul's key/value store. */
export type ConsulStore = ManagedStore;

/**
 * Opens a store on Consul. Rejects with `UNREACHABLE` when no agent with a leader answers within `connectTimeoutMs`, and
 * at once when the token is refused.
 */
export async function connectConsul(options: ConsulOptions = {}): Promise<ConsulStore> {
  const clock = options.clock ?? systemClock;
  const refusal = refuseKey(options.prefix ?? "");
  if (refusal !== undefined) throw new StoreError("NOT_SUPPORTED", refusal, { backend: "consul", key: options.prefix });
  const http = new ConsulHttp({ ...httpOptions(options), clock });
  const queries = new BlockingQueries(http, clock, blockingConnections);
  const deadline = clock.now() + (options.connectTimeoutMs ?? defaults.connectTimeoutMs);
  try {
    const minimumTtlMs = await untilReachable(deadline, clock, () => minimumSessionTtl(http, { deadline }));
    const lockDelayMs = positiveInteger("lockDelayMs", options.lockDelayMs) ?? 1;
    return new ManagedStore(new ConsulDriver({ http, queries, clock, minimumTtlMs, lockDelayMs }), options);
  } catch (error) {
    await http.close();
    throw storeError(error, false);
  }
}

/** `consul://host:8500,host2:8500?datacenter=dc1`: the options that a URL names; the scheme `consuls` means TLS. */
export function consulOptionsFromUrl(url: StoreUrl): ConsulOptions {
  const unix = url.hosts.length === 0 && url.path !== "" ? [`unix:${url.path}`] : url.hosts;
  return {
    endpoints: unix.length === 0 ? undefined : unix.map((host) => (/^unix:|:\d+$/.test(host) ? host : `${host}:8500`)),
    token: url.password ?? url.user,
    tokenFile: url.text("tokenFile"),
    prefix: url.hosts.length === 0 ? undefined : url.path,
    datacenter: url.text("datacenter"),
    namespace: url.text("namespace"),
    partition: url.text("partition"),
    fromEnvironment: url.flag("fromEnvironment"),
    lockDelayMs: url.number("lockDelayMs"),
  };
}

function httpOptions(options: ConsulOptions): ConsulHttpOptions {
  const { fromEnvironment = false, tls } = options;
  const address = fromEnvironment ? process.env["CONSUL_HTTP_ADDR"] : undefined;
  const secure = address?.startsWith("https://") === true;
  return {
    endpoints: options.endpoints ?? (address === undefined ? undefined : [address.replace(/^https?:\/\//, "")]),
    tls: tls === true || (tls === undefined && secure) ? {} : tls === false ? undefined : tls,
    keyPrefix: directoryPrefix(canonicalDirectory(options.prefix ?? "")),
    token: options.token ?? (fromEnvironment ? process.env["CONSUL_HTTP_TOKEN"] : undefined),
    tokenFile: options.tokenFile,
    datacenter: options.datacenter,
    namespace: options.namespace,
    partition: options.partition,
  };
}

/** Tries until an agent answers, an answer is final, or the time is over. */
async function untilReachable<T>(deadline: number, clock: typeof systemClock, run: () => Promise<T>): Promise<T> {
  const backoff = new Backoff({ initialMs: 50, maximumMs: 500 });
  for (;;) {
    try {
      return await run();
    } catch (error) {
      const explained = storeError(error, false);
      if (!(explained instanceof StoreError) || explained.code !== "UNREACHABLE") throw explained;
      const pauseMs = backoff.next();
      if (clock.now() + pauseMs >= deadline) throw explained;
      await sleep(pauseMs, { clock });
    }
  }
}

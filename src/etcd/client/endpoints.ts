import { Backoff } from "../../util/backoff.js";
import type { Clock, Timer } from "../../util/clock.js";
import { createDeferred, type Deferred } from "../../util/deferred.js";
import type { Connection } from "./connection.js";
import type { Endpoint } from "./endpoint.js";
import { abortedError, closedError, type EtcdError, unreachableError } from "./errors.js";

/** Whether the client has a connection. `suspended`: it had one, or wanted one, and is trying again. */
export interface EtcdConnectionState {
  readonly state: "idle" | "connected" | "suspended" | "closed";
  /** `host:port` of the member connected to. */
  readonly endpoint?: string | undefined;
  /** Why there is no connection. */
  readonly error?: EtcdError | undefined;
}

export interface EndpointsOptions {
  endpoints: readonly Endpoint[];
  /** Begins to dial one. */
  dial: (endpoint: Endpoint) => Connection;
  clock: Clock;
  onState: (state: EtcdConnectionState) => void;
}

/** A connection lost sooner than this after it was made is not made again without a pause. In milliseconds. */
const steadyMs = 1_000;

/**
 * Several endpoints seen as one connection: the current one, kept while it works. When it fails the others are dialled
 * in turn, starting with the next one, and with a jittered pause after each round in which none answered.
 */
export class Endpoints {
  readonly #options: EndpointsOptions;
  readonly #names: string;
  /** Every connection with something under way: the current one, and those moved away from. */
  readonly #connections = new Set<Connection>();
  readonly #waiting = new Set<Deferred<Connection>>();
  readonly #backoff = new Backoff({ initialMs: 50, maximumMs: 2_000 });
  #current: Connection | undefined;
  #connectedAt = 0;
  #next = 0;
  #dialling = false;
  #pause: Timer | undefined;
  #lastError: EtcdError | undefined;
  #closed = false;

  constructor(options: EndpointsOptions) {
    this.#options = options;
    this.#names = options.endpoints.map((endpoint) => endpoint.name).join(", ");
  }

  /** How many endpoints there are. */
  get size(): number {
    return this.#options.endpoints.length;
  }

  /** The connection, when it can be used at once. */
  get ready(): Connection | undefined {
    return this.#current?.ready === true ? this.#current : undefined;
  }

  /** Waits for a connection, at most `timeoutMs`. */
  async connection(timeoutMs: number, signal?: AbortSignal): Promise<Connection> {
    if (this.#closed) throw closedError("not-applied");
    const ready = this.ready;
    if (ready !== undefined) return ready;
    if (signal?.aborted === true) throw abortedError(signal, "not-applied");
    const waiter = createDeferred<Connection>();
    this.#waiting.add(waiter);
    const timer = this.#options.clock.after(timeoutMs, () =>
      waiter.reject(unreachableError(this.#names, this.#lastError)),
    );
    const onAbort = (): void => waiter.reject(abortedError(signal!, "not-applied"));
    signal?.addEventListener("abort", onAbort, { once: true });
    this.#dial();
    try {
      return await waiter.promise;
    } finally {
      timer.cancel();
      signal?.removeEventListener("abort", onAbort);
      this.#waiting.delete(waiter);
    }
  }

  /** This connection's member does not serve: use the next endpoint. With a single one there is nowhere to go. */
  leave(connection: Connection): void {
    if (this.#current !== connection || this.size === 1) return;
    this.#current = undefined;
    this.#next = (this.#next + 1) % this.size;
    connection.retire();
    this.#dial();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#pause?.cancel();
    for (const waiter of this.#waiting) waiter.reject(closedError("not-applied"));
    for (const connection of this.#connections) connection.close();
    this.#connections.clear();
    this.#options.onState({ state: "closed" });
  }

  #dial(): void {
    if (this.#dialling || this.#closed) return;
    this.#dialling = true;
    this.#current = undefined;
    void this.#dialInTurn();
  }

  /** One round over all endpoints; the next one follows after a pause. */
  async #dialInTurn(): Promise<void> {
    const { endpoints, onState } = this.#options;
    for (let tried = 0; tried < endpoints.length && !this.#closed; tried++) {
      try {
        await this.#dialNext();
        this.#dialling = false;
        return;
      } catch (error) {
        this.#lastError = error as EtcdError;
        this.#next = (this.#next + 1) % endpoints.length;
      }
    }
    if (this.#closed) return;
    onState({ state: "suspended", error: this.#lastError });
    this.#dialLater();
  }

  /** The pause does not hold the process open; whoever waits for the connection does. */
  #dialLater(): void {
    this.#dialling = true;
    this.#current = undefined;
    const delayMs = this.#backoff.next();
    this.#pause = this.#options.clock.after(delayMs, () => void this.#dialInTurn(), { keepAlive: false });
  }

  async #dialNext(): Promise<void> {
    const { endpoints, dial, clock, onState } = this.#options;
    const endpoint = endpoints[this.#next]!;
    const connection = dial(endpoint);
    this.#forgetIdle();
    this.#connections.add(connection);
    await connection.connect((error) => this.#lost(connection, error));
    if (!connection.ready) throw unreachableError(endpoint.name, undefined);
    this.#current = connection;
    this.#connectedAt = clock.now();
    onState({ state: "connected", endpoint: endpoint.name });
    for (const waiter of this.#waiting) waiter.resolve(connection);
  }

  #lost(connection: Connection, error: EtcdError): void {
    if (this.#current !== connection || this.#closed) return;
    this.#lastError = error;
    this.#next = (this.#next + 1) % this.size;
    const { clock, onState } = this.#options;
    const lasted = clock.now() - this.#connectedAt >= steadyMs;
    if (lasted) this.#backoff.reset();
    onState({ state: "suspended", endpoint: connection.endpoint.name, error });
    if (lasted) this.#dial();
    else this.#dialLater();
  }

  /** Connections that are over and have nothing under way need no closing. */
  #forgetIdle(): void {
    for (const connection of this.#connections) {
      if (!connection.ready && connection.active === 0) this.#connections.delete(connection);
    }
  }
}

import net from "node:net";
import { once } from "node:events";
import { countHttp1 } from "./count-http1.js";
import { countHttp2 } from "./count-http2.js";
import { countZooKeeper } from "./count-zookeeper.js";
import { claimPort, releasePort } from "./ports.js";
import { type Gate, ProxyPipe } from "./proxy-pipe.js";
import type { CounterFactory, TrafficCount } from "./traffic-count.js";
import { waitUntil } from "./wait-until.js";

const counters: Record<"http1" | "http2" | "zookeeper", CounterFactory> = {
  http1: countHttp1,
  http2: countHttp2,
  zookeeper: countZooKeeper,
};

/** Which bytes a stall keeps back. */
export type StallDirection = "toServer" | "toClient" | "both";

/** Replies being held back, see `TcpProxy.holdReplies`. */
export interface HeldReplies {
  /**
   * Resolves when the proxy holds `count` (default 1) more complete replies than when the hold began. Needs a proxy that
   * counts a protocol.
   */
  arrived(count?: number): Promise<void>;
}

/** A proxy that counts nothing but bytes and round trips, unless told which protocol goes through it (not TLS). */
export interface ProxyOptions {
  count?: keyof typeof counters | undefined;
}

/** Puts a proxy in front of an endpoint such as "http://127.0.0.1:2379" or "127.0.0.1:2181". The caller closes it. */
export async function createProxy(target: string, options: ProxyOptions = {}): Promise<TcpProxy> {
  const proxy = new TcpProxy(target, await claimPort(), options);
  await proxy.accept();
  return proxy;
}

interface Connection {
  client: net.Socket;
  server: net.Socket;
  toServer: ProxyPipe;
  toClient: ProxyPipe;
}

/** A TCP proxy on 127.0.0.1 that can do to connections what networks do to them. */
export class TcpProxy implements AsyncDisposable {
  readonly port: number;
  /** Where clients connect, with the scheme of the target. */
  readonly endpoint: string;
  readonly #target: { host: string; port: number };
  readonly #counter: CounterFactory | undefined;
  readonly #connections = new Set<Connection>();
  #listener: net.Server | undefined;
  #gates: { toServer: Gate; toClient: Gate } = { toServer: "open", toClient: "open" };
  #forgetsNext = false;
  #delayMs = 0;
  #accepted = 0;
  #count = emptyCount();

  constructor(target: string, port: number, options: ProxyOptions) {
    const [, scheme = "", host = "", targetPort = ""] = /^(\w+:\/\/)?(.+):(\d+)\/?$/.exec(target) ?? [];
    this.port = port;
    this.endpoint = `${scheme}127.0.0.1:${port}`;
    this.#target = { host, port: Number(targetPort) };
    this.#counter = options.count && counters[options.count];
  }

  /** "127.0.0.1:12345", for places that take no scheme. */
  get host(): string {
    return `127.0.0.1:${this.port}`;
  }

  /** How many connections are open now. */
  get connections(): number {
    return this.#connections.size;
  }

  /** How many connections have been made so far. */
  get accepted(): number {
    return this.#accepted;
  }

  /** What has gone through since the start or the last `resetCount`: a copy. */
  get count(): Readonly<TrafficCount> {
    return { ...this.#count };
  }

  resetCount(): void {
    Object.assign(this.#count, emptyCount());
  }

  /** Ends all connections at once with a reset, and with them what was held or stalled. New ones are accepted. */
  cut(): void {
    for (const connection of this.#connections) reset(connection);
  }

  /** Stops listening: new connections are refused. Those that are open go on; `cut` ends them. */
  refuse(): void {
    this.#listener?.close();
    this.#listener = undefined;
  }

  /** Listens again, on the same port. */
  async accept(): Promise<void> {
    if (this.#listener !== undefined) return;
    const listener = net.createServer({ allowHalfOpen: true, pauseOnConnect: true, noDelay: true }, (client) =>
      this.#connect(client),
    );
    this.#listener = listener;
    listener.listen(this.port, "127.0.0.1");
    await once(listener, "listening");
  }

  /**
   * Passes nothing more, in one direction or both, and closes nothing: as a cable pulled out, or a firewall that drops
   * packets. Connections are still accepted. What the clients and the server send waits in the buffers of the sockets
   * until `resume`.
   */
  stall(direction: StallDirection = "both"): void {
    this.#setGates({
      toServer: direction === "toClient" ? this.#gates.toServer : "stalled",
      toClient: direction === "toServer" ? this.#gates.toClient : "stalled",
    });
  }

  /** Accepts the next connection and passes nothing of it to the server: as a server that forgets whom it accepted. */
  forgetNext(): void {
    this.#forgetsNext = true;
  }

  /**
   * Passes requests and keeps what the server sends back. With `cut` once the reply has arrived here, the server has
   * done what it was asked, and the client cannot know; with `resume` the client gets it late. An HTTP/2 reply of more
   * than 64 KB does not arrive whole, as its server waits for a client that gets nothing.
   */
  holdReplies(): HeldReplies {
    const before = this.#count.replies;
    this.#setGates({ ...this.#gates, toClient: "held" });
    return {
      arrived: async (count = 1) => {
        if (this.#counter === undefined) throw new Error("this proxy counts no protocol, so it knows no replies");
        const check = async (): Promise<boolean> => this.#count.replies >= before + count;
        await waitUntil(`${count} replies held by the proxy`, check, { timeoutMs: 20_000, intervalMs: 2 });
      },
    };
  }

  /** From now on every piece of data arrives this much later, in each direction: a round trip takes twice as long. */
  delay(delayMs: number): void {
    this.#delayMs = delayMs;
    for (const { toServer, toClient } of this.#connections) toServer.delayMs = toClient.delayMs = delayMs;
  }

  /** Ends stalls, holds and delays: what waited goes out now, in order. */
  resume(): void {
    this.delay(0);
    this.#setGates({ toServer: "open", toClient: "open" });
  }

  /** Ends everything and frees the port. */
  async close(): Promise<void> {
    const listener = this.#listener;
    this.refuse();
    this.cut();
    if (listener !== undefined && this.#connections.size > 0) await once(listener, "close");
    releasePort(this.port);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #connect(client: net.Socket): void {
    this.#accepted++;
    const server = net.connect({ ...this.#target, allowHalfOpen: true, noDelay: true });
    const protocol = this.#counter?.(this.#count);
    let replyIsDue = false;
    const connection: Connection = {
      client,
      server,
      toServer: new ProxyPipe(client, server, (bytes) => {
        this.#count.toServer += bytes.length;
        replyIsDue = true;
        protocol?.toServer(bytes);
      }),
      toClient: new ProxyPipe(server, client, (bytes) => {
        this.#count.toClient += bytes.length;
        if (replyIsDue) this.#count.roundTrips++;
        replyIsDue = false;
        protocol?.toClient(bytes);
      }),
    };
    this.#connections.add(connection);
    for (const socket of [client, server]) {
      socket.on("error", () => reset(connection));
      socket.on("close", () => {
        // Both ends have said goodbye, or one is gone: then the other has nobody to talk to.
        if (!socket.readableEnded) reset(connection);
        if (client.destroyed && server.destroyed) this.#connections.delete(connection);
      });
    }
    connection.toServer.delayMs = connection.toClient.delayMs = this.#delayMs;
    connection.toServer.gate = this.#forgetsNext ? "stalled" : this.#gates.toServer;
    this.#forgetsNext = false;
    connection.toClient.gate = this.#gates.toClient;
  }

  #setGates(gates: { toServer: Gate; toClient: Gate }): void {
    this.#gates = gates;
    for (const { toServer, toClient } of this.#connections) {
      toServer.gate = gates.toServer;
      toClient.gate = gates.toClient;
    }
  }
}

function reset({ client, server }: Connection): void {
  client.resetAndDestroy();
  server.resetAndDestroy();
}

function emptyCount(): TrafficCount {
  return { toServer: 0, toClient: 0, roundTrips: 0, requests: 0, replies: 0 };
}

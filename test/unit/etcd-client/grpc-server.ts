import http2, { type Http2Server, type ServerHttp2Session, type ServerHttp2Stream } from "node:http2";
import type { AddressInfo, Socket } from "node:net";
import { Connection, type ConnectionOptions } from "../../../src/etcd/client/connection.js";
import { parseEndpoint } from "../../../src/etcd/client/endpoint.js";
import { EtcdError } from "../../../src/etcd/client/errors.js";
import { systemClock } from "../../../src/util/clock.js";

/** A call as the server sees it. */
export interface Arrival {
  readonly stream: ServerHttp2Stream;
  readonly headers: http2.IncomingHttpHeaders;
  /** All that the client sent, once it has said that this is all. */
  readonly body: Promise<Buffer>;
}

/** Speaks HTTP/2 and does what a test wants: for frames that a real etcd does not send when asked to. */
export class GrpcServer {
  readonly #server: Http2Server;
  readonly sessions: ServerHttp2Session[] = [];
  /** What the sessions run on. */
  readonly sockets: Socket[] = [];
  readonly arrivals: Arrival[] = [];
  #onArrival: (arrival: Arrival) => void = () => {};

  private constructor(server: Http2Server) {
    this.#server = server;
    server.on("connection", (socket: Socket) => this.sockets.push(socket));
    server.on("session", (session) => {
      session.on("error", () => {});
      this.sessions.push(session);
    });
    server.on("stream", (stream, headers) => {
      stream.on("error", () => {});
      const arrival = { stream, headers, body: bodyOf(stream) };
      this.arrivals.push(arrival);
      this.#onArrival(arrival);
    });
  }

  static async start(): Promise<GrpcServer> {
    const server = http2.createServer({ maxSessionMemory: 1_000 });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return new GrpcServer(server);
  }

  get host(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** What to do with each call from now on. */
  answer(onArrival: (arrival: Arrival) => void): void {
    this.#onArrival = onArrival;
  }

  /** A connection that is not made yet. */
  dial(options: Partial<ConnectionOptions> = {}): Connection {
    return new Connection({
      endpoint: parseEndpoint(this.host, false),
      dialTimeoutMs: 5_000,
      clock: systemClock,
      ...options,
    });
  }

  async close(): Promise<void> {
    for (const session of this.sessions) session.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

/** Sends headers, then these bytes, then the status in trailers, as a gRPC server does. */
export function respond(
  stream: ServerHttp2Stream,
  body: Uint8Array | readonly Uint8Array[],
  trailers: Record<string, string> = { "grpc-status": "0" },
): void {
  stream.respond({ ":status": 200, "content-type": "application/grpc" }, { waitForTrailers: true });
  stream.on("wantTrailers", () => stream.sendTrailers(trailers));
  for (const part of body instanceof Uint8Array ? [body] : body) stream.write(part);
  stream.end();
}

/** A message behind its prefix. */
export function message(text: string): Buffer {
  const frame = Buffer.alloc(5 + text.length);
  frame.writeUInt32BE(text.length, 1);
  frame.write(text, 5);
  return frame;
}

/** The error that a call must end with. */
export async function failureOf(call: Promise<unknown>): Promise<EtcdError> {
  const error = await call.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof EtcdError)) throw new Error(`not an EtcdError: ${String(error)}`);
  return error;
}

async function bodyOf(stream: ServerHttp2Stream): Promise<Buffer> {
  const parts: Buffer[] = [];
  stream.on("data", (part: Buffer) => parts.push(part));
  await new Promise((resolve) => stream.once("end", resolve));
  return Buffer.concat(parts);
}

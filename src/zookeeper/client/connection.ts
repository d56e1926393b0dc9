import type { Socket } from "node:net";
import { type Clock } from "../../util/clock.js";
import { createDeferred, type Deferred } from "../../util/deferred.js";
import { JuteReader, JuteWriter } from "./codec.js";
import { ConnectionLossError, errorFromCode, MarshallingError, UnimplementedError } from "./error-codes.js";
import { RequestTooLargeError, ZooKeeperError } from "./errors.js";
import { FrameReader } from "./framing.js";
import { Heartbeat } from "./heartbeat.js";
import type { Operation } from "./operations.js";
import { ReadModeration } from "./read-moderation.js";
import {
  type ConnectRequest,
  type ConnectResponse,
  readConnectResponse,
  readReplyHeader,
  readWatcherEvent,
  type ServerLevel,
  type WatcherEvent,
  writeConnectRequest,
  Xid,
} from "./records.js";
import { Request, RequestQueue } from "./request.js";
import { pingOperation } from "./session-operations.js";
import { Zxid } from "./stat.js";

/** What a connection tells its session. */
export interface ConnectionHandlers {
  /** An answer came to something sent at this time of the clock. */
  onAcknowledged(sentAt: number): void;
  onEvent(event: WatcherEvent, zxid: bigint): void;
  /** The end, told once. */
  onClosed(error: ZooKeeperError): void;
}

export interface ConnectionOptions {
  readonly clock: Clock;
  /** Where it goes, for errors. */
  readonly server: string;
  readonly maxRequestBytes: number;
  readonly maxResponseBytes: number;
  /** Whether reading may pause while many requests wait. Not over TLS: what came meanwhile would then come out piece by piece. */
  readonly moderated: boolean;
}

/** Answers after which a write may have been carried out: system error, connection loss, and the two timeouts. */
const uncertain = new Set([-1, -4, -7, -122]);

/** Bytes of a reply's header: xid, zxid and error code. */
const replyHeaderBytes = 16;

/**
 * One socket and the requests on it, pipelined: written in the order of `send`, together at the end of the tick, and
 * answered by the server in the same order. With many requests on it, answers are read several at a time. Any frame that
 * makes no sense ends the connection.
 */
export class Connection {
  /** What the server is known to have; requests beyond it fall back or fail. */
  level: ServerLevel = 3.4;
  readonly server: string;
  /** The last transaction seen, raised with every answer. */
  lastSeen = new Zxid();
  readonly #socket: Socket;
  readonly #options: ConnectionOptions;
  readonly #writer: JuteWriter;
  readonly #reader = new JuteReader();
  readonly #frames: FrameReader;
  readonly #moderation: ReadModeration | undefined;
  readonly #pending = new RequestQueue();
  /** Requests with an xid of their own: pings, auth and setWatches overtake the others. */
  readonly #outOfBand = new Map<number, RequestQueue>();
  readonly #replyZxid = new Zxid();
  #greeting: Deferred<ConnectResponse> | undefined;
  #heartbeat: Heartbeat | undefined;
  #nextXid = 1;
  #flushScheduled = false;
  /** Requests written to the socket have an xid up to this one. */
  #flushedXid = 0;
  #handlers: ConnectionHandlers | undefined;
  #endedBy: ZooKeeperError | undefined;

  constructor(socket: Socket, options: ConnectionOptions) {
    this.server = options.server;
    this.#socket = socket;
    this.#options = options;
    this.#writer = new JuteWriter(options.maxRequestBytes);
    this.#moderation = options.moderated ? new ReadModeration(socket, options.clock) : undefined;
    this.#frames = new FrameReader(options.maxResponseBytes, (buffer, start, end, lasting) =>
      this.#onFrame(buffer, start, end, lasting),
    );
    socket.on("data", (chunk: Buffer) => this.#onData(chunk));
    socket.on("error", (error) => this.destroy(this.#loss(error.message, error)));
    socket.on("close", () => this.destroy(this.#loss("the server closed it")));
  }

  /** Requests waiting for their answers. */
  get pendingCount(): number {
    return this.#pending.size;
  }

  get pendingHead(): Request | undefined {
    return this.#pending.head;
  }

  /** Names who is told of what happens from now on; told at once when the connection has ended already. */
  attach(handlers: ConnectionHandlers): void {
    this.#handlers = handlers;
    if (this.#endedBy !== undefined) handlers.onClosed(this.#endedBy);
  }

  /** Says the first words and waits for the server's. */
  greet(request: ConnectRequest): Promise<ConnectResponse> {
    const greeting = createDeferred<ConnectResponse>();
    if (this.#endedBy !== undefined) greeting.reject(this.#endedBy);
    else this.#greeting = greeting;
    const mark = this.#writer.beginFrame();
    writeConnectRequest(this.#writer, request);
    this.#writer.endFrame(mark);
    this.#scheduleFlush();
    return greeting.promise;
  }

  /** Starts pings and the watch over silence, with the timeout the server granted. */
  startHeartbeat(timeoutMs: number): void {
    this.#heartbeat = new Heartbeat(this.#options.clock, timeoutMs, {
      ping: (now) => this.#ping(now),
      stalled: () => this.destroy(this.#loss(`no sign of life for two thirds of ${timeoutMs} ms`)),
    });
  }

  /** Writes a request; `now` is the clock's time. With an `xid` the request is one of those that have their own. */
  send(request: Request, now: number, xid?: number): void {
    const operation = this.#supported(request);
    if (operation === undefined) {
      const message = `${this.server} belongs to ZooKeeper ${this.level}, which does not have this operation`;
      return request.fail(new UnimplementedError(message, request.context()));
    }
    request.operation = operation;
    request.xid = xid ?? this.#takeXid();
    if (!this.#write(request)) return;
    request.sentAt = now;
    if (xid === undefined) this.#pending.push(request);
    else this.#outOfBandQueue(xid).push(request);
    if (this.#heartbeat !== undefined) this.#heartbeat.lastSentAt = now;
    this.#scheduleFlush();
  }

  /** Reads at once what has arrived. */
  hurry(now: number): void {
    this.#moderation?.hurry(now);
  }

  /** Ends the connection; every request on it fails. */
  destroy(error: ZooKeeperError): void {
    if (this.#endedBy !== undefined) return;
    this.#endedBy = error;
    this.#heartbeat?.stop();
    this.#moderation?.stop();
    this.#socket.destroy();
    this.#greeting?.reject(error);
    for (const request of this.#pending.drain()) {
      if (request.xid > this.#flushedXid) request.sentAt = undefined;
      request.fail(new ConnectionLossError(error.message, { ...request.context(), cause: error }));
    }
    for (const queue of this.#outOfBand.values()) for (const request of queue.drain()) request.fail(error);
    this.#handlers?.onClosed(error);
  }

  #ping(now: number): void {
    const ping = new Request(pingOperation, undefined, undefined, Infinity);
    // Nobody waits for a ping: if it fails, the connection has ended, and that is told elsewhere.
    ping.promise.catch(() => {});
    this.send(ping, now, Xid.ping);
  }

  /** The request's operation, or what it falls back to on this server; undefined when the server has neither. */
  #supported(request: Request): Operation<unknown, unknown> | undefined {
    let candidate: Operation<unknown, unknown> | undefined = request.operation;
    if ((candidate.sinceFor?.(request.args) ?? 0) > this.level) return undefined;
    while (candidate !== undefined && candidate.since > this.level) candidate = candidate.fallback;
    return candidate;
  }

  #write(request: Request): boolean {
    const writer = this.#writer;
    const mark = writer.beginFrame();
    try {
      writer.int(request.xid);
      writer.int(request.operation.opcode);
      request.operation.write(writer, request.args);
      const length = writer.endFrame(mark);
      const limit = this.#options.maxRequestBytes;
      if (length <= limit) return true;
      throw new RequestTooLargeError(length, limit, request.context());
    } catch (error) {
      writer.dropFrame(mark);
      request.fail(error);
      return false;
    }
  }

  #takeXid(): number {
    if (this.#nextXid === 0x7fffffff) {
      // After two thousand million requests the numbers would turn negative; a new connection starts again.
      queueMicrotask(() => this.destroy(this.#loss("it has used up its request numbers")));
    }
    return this.#nextXid++;
  }

  #outOfBandQueue(xid: number): RequestQueue {
    const queue = this.#outOfBand.get(xid) ?? new RequestQueue();
    this.#outOfBand.set(xid, queue);
    return queue;
  }

  /** One write per tick: by then the continuations of all answers in one chunk have sent what they wanted. */
  #scheduleFlush(): void {
    if (this.#flushScheduled) return;
    this.#flushScheduled = true;
    process.nextTick(() => this.#flush());
  }

  #flush(): void {
    this.#flushScheduled = false;
    if (this.#endedBy !== undefined || this.#writer.length === 0) return;
    this.#flushedXid = this.#nextXid - 1;
    this.#socket.write(this.#writer.take());
  }

  #onData(chunk: Buffer): void {
    const now = this.#options.clock.now();
    if (this.#heartbeat !== undefined) this.#heartbeat.lastHeardAt = now;
    try {
      this.#frames.push(chunk);
    } catch (error) {
      const malformed = new MarshallingError(`${this.server} sent something malformed: ${(error as Error).message}`);
      this.destroy(malformed);
    }
    if (this.#endedBy === undefined) this.#moderation?.afterRead(chunk.length, this.#pending.size, now);
  }

  #onFrame(buffer: Buffer, start: number, end: number, lasting: boolean): void {
    if (this.#endedBy !== undefined) return;
    const reader = this.#reader.reset(buffer, start, end, lasting);
    if (this.#greeting !== undefined) {
      return this.#onGreeting(this.#greeting, reader);
    }
    const xid = reader.int();
    const zxid = this.#replyZxid;
    zxid.high = reader.int();
    zxid.low = reader.int();
    const code = reader.int();
    // Notifications before 3.9 and answers to auth carry no transaction number.
    if (zxid.high >= 0) this.lastSeen.raise(zxid.high, zxid.low);
    if (xid === Xid.notification) this.#handlers?.onEvent(readWatcherEvent(reader), zxid.value);
    else this.#onReply(this.#take(xid), code, zxid, reader);
  }

  #onGreeting(greeting: Deferred<ConnectResponse>, reader: JuteReader): void {
    if (reader.remaining === replyHeaderBytes) {
      // A refusal comes as the header of a reply, for example from a read-only server without local sessions.
      const { code } = readReplyHeader(reader);
      return this.destroy(errorFromCode(code, { operation: "connect" }));
    }
    greeting.resolve(readConnectResponse(reader));
    this.#greeting = undefined;
  }

  /** The request that an answer with this number belongs to. */
  #take(xid: number): Request {
    const request = xid < 0 ? this.#outOfBand.get(xid)?.shift() : this.#pending.shift();
    if (request !== undefined && request.xid === xid) return request;
    // Put back in spirit: the connection ends now, and everything still on it has no answer.
    if (request !== undefined) request.fail(new ConnectionLossError("answers out of order", request.context()));
    throw new MarshallingError(`an answer to request ${xid}, which was not the next one`);
  }

  #onReply(request: Request, code: number, zxid: Zxid, reader: JuteReader): void {
    let result: unknown;
    try {
      if (code === 0) result = request.operation.read(reader, zxid, request.args);
      else result = request.operation.resultOf?.(code, zxid) ?? this.#refusal(request, code);
    } catch (error) {
      request.fail(new ConnectionLossError("the answer could not be read", { ...request.context(), cause: error }));
      throw error;
    }
    this.#handlers?.onAcknowledged(request.sentAt!);
    // One that was given up meanwhile wants nothing any more, a watch least of all.
    if (!request.settled) request.onAnswer?.(code);
    if (result instanceof ZooKeeperError) request.fail(result);
    else request.succeed(result);
  }

  #refusal(request: Request, code: number): ZooKeeperError {
    const outcome = uncertain.has(code) ? request.outcome : "not-applied";
    return errorFromCode(code, { operation: request.operation.name, path: request.path, outcome });
  }

  #loss(why: string, cause?: unknown): ConnectionLossError {
    return new ConnectionLossError(`lost the connection to ${this.server}: ${why}`, { cause });
  }
}

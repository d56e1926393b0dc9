import { constants } from "node:http2";
import net from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Connection, ConnectionOptions } from "../../../src/etcd/client/connection.js";
import { parseEndpoint } from "../../../src/etcd/client/endpoint.js";
import { EtcdClient, type EtcdError } from "../../../src/etcd/client/index.js";
import type { UnaryRequest } from "../../../src/etcd/client/unary-call.js";
import { createProxy } from "../../servers/index.js";
import { type Arrival, failureOf, GrpcServer, message, respond } from "./grpc-server.js";

let server: GrpcServer;
const connections: Connection[] = [];

beforeEach(async () => {
  server = await GrpcServer.start();
});
afterEach(async () => {
  for (const connection of connections.splice(0)) connection.close();
  await server.close();
});

/** A connection that is made, and the errors that it was lost with. */
async function connected(options?: Partial<ConnectionOptions>): Promise<{ to: Connection; losses: EtcdError[] }> {
  const to = server.dial(options);
  connections.push(to);
  const losses: EtcdError[] = [];
  await to.connect((error) => losses.push(error));
  return { to, losses };
}

function call(to: Connection, options: Partial<UnaryRequest> = {}): Promise<Uint8Array> {
  const path = "/etcdserverpb.KV/Put";
  const defaults = {
    path,
    message: Buffer.from("hello"),
    metadata: {},
    timeoutMs: 10_000,
    signal: undefined,
  };
  return to.unary({ ...defaults, ...options });
}

/** Resolves when so many calls have come. */
async function arrived(count: number): Promise<Arrival[]> {
  await expect.poll(() => server.arrivals.length).toBe(count);
  return server.arrivals;
}

describe("a call", () => {
  it("is one request as gRPC defines it, and its answer, in pieces or not", async () => {
    const metadata = { token: "t.1", hasleader: "true" };
    const { to } = await connected();
    server.answer(({ stream }) => {
      const frame = message("world");
      respond(stream, [frame.subarray(0, 3), frame.subarray(3, 7), frame.subarray(7)]);
    });
    expect(Buffer.from(await call(to, { metadata })).toString()).toBe("world");
    const { headers, body } = server.arrivals[0]!;
    expect({ ...headers }).toMatchObject({
      ":method": "POST",
      ":scheme": "http",
      ":authority": server.host,
      ":path": "/etcdserverpb.KV/Put",
      "content-type": "application/grpc",
      te: "trailers",
      token: "t.1",
      hasleader: "true",
      "grpc-timeout": "10000m",
    });
    expect(await body).toEqual(message("hello"));
  });

  it("names no timeout that the header has no room for, and at least a millisecond", async () => {
    const { to } = await connected();
    const calls = [Number.POSITIVE_INFINITY, 0.2, 1_500.2].map((timeoutMs) => failureOf(call(to, { timeoutMs })));
    await arrived(3);
    to.close();
    await Promise.all(calls);
    expect(server.arrivals.map(({ headers }) => headers["grpc-timeout"])).toEqual([undefined, "1m", "1501m"]);
  });

  it("takes answers larger than any window, many at once", async () => {
    const { to } = await connected();
    const large = message("x".repeat(9_000_000));
    server.answer(({ stream }) => respond(stream, large));
    const answers = await Promise.all(Array.from({ length: 5 }, () => call(to)));
    expect(answers.map(({ length }) => length)).toEqual(Array.from({ length: 5 }, () => 9_000_000));
  });

  it.each([
    ["a status alone", "no leader", "%", "no-leader", "not-applied", "etcdserver: no leader"],
    ["a status after headers", "ein%20%C3%BC%2F", "", "other", "unknown", "ein ü/"],
    ["text that is wrongly encoded", "100%", "", "other", "unknown", "100%"],
  ])("fails with %s", async (_, sent, form, reason, outcome, etcdMessage) => {
    const { to } = await connected();
    const trailers = { "grpc-status": "14", "grpc-message": form === "" ? sent : `etcdserver: ${sent}` };
    server.answer(({ stream }) => {
      if (form === "") respond(stream, Buffer.alloc(0), { ...trailers, "grpc-status": "2" });
      else stream.respond({ ":status": 200, ...trailers }, { endStream: true });
    });
    expect(await failureOf(call(to))).toMatchObject({ reason, outcome, etcdMessage, endpoint: server.host });
    expect(to.ready).toBe(true);
  });

  it.each([
    ["no message", (stream: Arrival["stream"]) => respond(stream, Buffer.alloc(0)), "disconnected"],
    ["half a message", (stream: Arrival["stream"]) => respond(stream, message("half").subarray(0, 7)), "other"],
    ["two messages", (stream: Arrival["stream"]) => respond(stream, [message("one"), message("two")]), "other"],
    ["no status", (stream: Arrival["stream"]) => respond(stream, message("one"), { other: "1" }), "other"],
    [
      "a proxy's complaint",
      (stream: Arrival["stream"]) => stream.respond({ ":status": 503 }, { endStream: true }),
      "disconnected",
    ],
    [
      "RST_STREAM: internal error",
      (stream: Arrival["stream"]) => stream.close(constants.NGHTTP2_INTERNAL_ERROR),
      "other",
    ],
    ["RST_STREAM: cancel", (stream: Arrival["stream"]) => stream.close(constants.NGHTTP2_CANCEL), "disconnected"],
  ] as const)("may have been applied when it is answered with %s; the connection stays", async (_, answer, reason) => {
    const { to } = await connected();
    server.answer(({ stream }) => answer(stream));
    expect(await failureOf(call(to))).toMatchObject({ reason, outcome: "unknown" });
    expect([to.ready, to.active, server.arrivals.length]).toEqual([true, 0, 1]);
  });

  it("that is answered before all of it was sent ends there, and leaves no stream open", async () => {
    const { to } = await connected();
    const headers = { ":status": 200, "grpc-status": "8", "grpc-message": "grpc: received message larger than max" };
    server.answer(({ stream }) => {
      stream.pause();
      stream.respond(headers, { endStream: true });
    });
    expect(await failureOf(call(to, { message: Buffer.alloc(5_000_000) }))).toMatchObject({ reason: "too-large" });
    await expect.poll(() => server.arrivals[0]!.stream.rstCode).toBe(constants.NGHTTP2_CANCEL);
    expect([to.ready, to.active]).toEqual([true, 0]);
  });

  it("was surely not applied when its stream was refused", async () => {
    const { to } = await connected();
    server.answer(({ stream }) => stream.close(constants.NGHTTP2_REFUSED_STREAM));
    expect(await failureOf(call(to))).toMatchObject({ reason: "unreachable", outcome: "not-applied" });
    expect([to.ready, server.arrivals.length]).toEqual([true, 1]);
  });

  it("ends at its deadline, and the server is told; others go on", async () => {
    const { to } = await connected();
    server.answer(({ stream, headers }) => {
      if (headers["grpc-timeout"] === "10000m") setTimeout(() => respond(stream, message("")), 300);
    });
    const calls = [call(to), call(to, { timeoutMs: 100 }), call(to, { timeoutMs: 200 })];
    const ends = await Promise.allSettled(calls);
    expect(ends.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "rejected"]);
    expect((ends[1] as PromiseRejectedResult).reason).toMatchObject({
      reason: "timeout",
      outcome: "unknown",
      status: "DEADLINE_EXCEEDED",
    });
    await expect.poll(() => server.arrivals[1]!.stream.rstCode).toBe(constants.NGHTTP2_CANCEL);
  });

  it("ends when its signal fires, of which nothing stays behind", async () => {
    const { to } = await connected();
    const abort = new AbortController();
    const failure = failureOf(call(to, { signal: abort.signal }));
    const [{ stream }] = (await arrived(1)) as [Arrival];
    abort.abort("enough");
    expect(await failure).toMatchObject({ reason: "aborted", outcome: "unknown", cause: "enough" });
    await expect.poll(() => stream.rstCode).toBe(constants.NGHTTP2_CANCEL);
    expect(to.active).toBe(0);
  });
});

describe("a server that goes away", () => {
  it("in good order answers what it took; what it left out was surely not applied", async () => {
    const { to, losses } = await connected();
    const [taken, left] = [call(to), failureOf(call(to))];
    const [first] = await arrived(2);
    server.sessions[0]!.goaway(constants.NGHTTP2_NO_ERROR, first!.stream.id);
    expect(await left).toMatchObject({ reason: "unreachable", outcome: "not-applied" });
    expect([to.ready, losses.length]).toEqual([false, 1]);
    respond(first!.stream, message("late"));
    expect(Buffer.from(await taken).toString()).toBe("late");
    expect(await failureOf(call(to))).toMatchObject({ reason: "unreachable", outcome: "not-applied" });
  });

  // Node gives the session's code to all its streams, and of them only the last is the one that was refused.
  it.each([constants.NGHTTP2_REFUSED_STREAM, constants.NGHTTP2_ENHANCE_YOUR_CALM])(
    "with code %i leaves those that it may have taken unknown",
    async (code) => {
      const { to, losses } = await connected();
      const [taken, left] = [failureOf(call(to)), failureOf(call(to))];
      const [first] = await arrived(2);
      server.sessions[0]!.goaway(code, first!.stream.id);
      expect(await taken).toMatchObject({ reason: "disconnected", outcome: "unknown" });
      expect(await left).toMatchObject({ reason: "unreachable", outcome: "not-applied" });
      expect([to.ready, to.active, losses.length]).toEqual([false, 0, 1]);
    },
  );

  it("without a word takes calls and streams with it, and the loss is told once", async () => {
    const { to, losses } = await connected();
    const ends: EtcdError[] = [];
    to.stream("/etcdserverpb.Watch/Watch", {}, { onMessage: () => {}, onEnd: (error) => ends.push(error) });
    const failure = failureOf(call(to));
    await arrived(2);
    server.sockets[0]!.destroy();
    expect(await failure).toMatchObject({ reason: "disconnected", outcome: "unknown" });
    await expect.poll(() => ends.map(({ reason }) => reason)).toEqual(["disconnected"]);
    expect([to.ready, to.active, losses.map(({ reason }) => reason)]).toEqual([false, 0, ["disconnected"]]);
  });

  it("while nothing is under way is noticed", async () => {
    const { to, losses } = await connected();
    server.sessions[0]!.close();
    await expect.poll(() => losses.length).toBe(1);
    expect(to.ready).toBe(false);
  });

  it("and a client's write that it refused is sent again, on the next connection, and once", async () => {
    server.answer(({ stream }) => {
      if (server.arrivals.length === 2) server.sessions[0]!.goaway(constants.NGHTTP2_NO_ERROR, 1);
      else respond(stream, message(""));
    });
    const client = new EtcdClient({ endpoints: [server.host] });
    await client.kv.put({ key: Buffer.from("answered") });
    await client.kv.put({ key: Buffer.from("left out") });
    expect([server.sessions.length, server.arrivals.length]).toEqual([2, 3]);
    client.close();
  });
});

describe("a stream", () => {
  it("brings messages both ways, until it is ended here", async () => {
    const { to } = await connected();
    const seen: string[] = [];
    const stream = to.stream(
      "/etcdserverpb.Watch/Watch",
      {},
      {
        onMessage: (bytes) => {
          seen.push(Buffer.from(bytes).toString());
          if (seen.length === 2) stream.end();
        },
        onEnd: () => seen.push("ended"),
      },
    );
    const [arrival] = await arrived(1);
    expect(arrival!.headers["grpc-timeout"]).toBeUndefined();
    const sent: Buffer[] = [];
    arrival!.stream.on("data", (part: Buffer) => sent.push(part));
    stream.send(Buffer.from("a"));
    stream.send(Buffer.from("b"));
    await expect.poll(() => Buffer.concat(sent)).toEqual(Buffer.concat([message("a"), message("b")]));
    arrival!.stream.respond({ ":status": 200 });
    arrival!.stream.write(Buffer.concat([message("1"), message("2"), message("3")]));
    await expect.poll(() => arrival!.stream.rstCode).toBe(constants.NGHTTP2_CANCEL);
    stream.send(Buffer.from("c"));
    expect([seen, to.active, to.ready]).toEqual([["1", "2"], 0, true]);
  });

  it.each([
    ["in good order", { "grpc-status": "0" }, "the server ended the stream", "disconnected"],
    [
      "for a reason",
      { "grpc-status": "16", "grpc-message": "etcdserver: invalid auth token" },
      "auth",
      "unauthenticated",
    ],
  ])("ended by the server %s is over", async (_, trailers, text, reason) => {
    const { to } = await connected();
    const end = new Promise<EtcdError>((resolve) => {
      to.stream("/etcdserverpb.Watch/Watch", {}, { onMessage: () => {}, onEnd: resolve });
    });
    const [arrival] = await arrived(1);
    respond(arrival!.stream, Buffer.alloc(0), trailers);
    expect(await end).toMatchObject({ reason, message: expect.stringContaining(text) });
    expect([to.active, to.ready]).toEqual([0, true]);
  });
});

describe("pings", () => {
  const keepalive = { intervalMs: 100, timeoutMs: 200 };

  it("are sent while something is under way, and only then", async () => {
    const { to } = await connected({ keepalive });
    let pings = 0;
    server.sessions[0]!.on("ping", () => (pings += 1));
    server.answer(({ stream }) => respond(stream, message("")));
    await call(to);
    await new Promise((resolve) => setTimeout(resolve, 350));
    expect(pings).toBe(0);
    server.answer(() => {});
    void call(to).catch(() => {});
    await expect.poll(() => pings).toBeGreaterThan(2);
    expect(to.ready).toBe(true);
  });

  it("find a silent line dead, and what is under way unknown", async () => {
    await using link = await createProxy(server.host);
    const { to, losses } = await connected({ endpoint: parseEndpoint(link.host, false), keepalive });
    const failure = failureOf(call(to));
    await arrived(1);
    link.stall();
    expect(await failure).toMatchObject({ reason: "disconnected", outcome: "unknown" });
    expect(losses[0]!.etcdMessage).toContain("does not answer a ping");
  });
});

describe("dialling", () => {
  /** Something that listens and is no gRPC server. */
  async function listener(onSocket: (socket: net.Socket) => void) {
    const listening = net.createServer((socket) => onSocket(socket.on("error", () => {})));
    await new Promise<void>((resolve) => listening.listen(0, "127.0.0.1", resolve));
    return { host: `127.0.0.1:${(listening.address() as net.AddressInfo).port}`, close: () => listening.close() };
  }

  it.each([
    ["hangs up", (socket: net.Socket) => void socket.destroy(), "No connection established. Last error"],
    [
      "speaks HTTP/1.1",
      (socket: net.Socket) => void socket.end("HTTP/1.1 400 Bad\r\n\r\n"),
      "No connection established",
    ],
    ["says nothing", () => {}, "No connection established in 200 ms"],
  ])("fails on one who %s", async (_, onSocket, text) => {
    const { host, close } = await listener(onSocket);
    const to = server.dial({ endpoint: parseEndpoint(host, false), dialTimeoutMs: 200 });
    const error = await failureOf(to.connect(() => {}));
    expect(error).toMatchObject({ reason: "unreachable", outcome: "not-applied" });
    expect(error.etcdMessage).toContain(text);
    expect(to.ready).toBe(false);
    close();
  });

  it("fails on a name that nobody has", async () => {
    const client = new EtcdClient({ endpoints: ["nobody.invalid:1"], timeoutMs: 1_000 });
    const error = await failureOf(client.kv.put({ key: Buffer.from("k") }));
    expect(error).toMatchObject({ reason: "unreachable", outcome: "not-applied" });
    expect(error.message).toMatch(/nobody\.invalid/);
    client.close();
  });

  it("ends when the connection is closed", async () => {
    const { host, close } = await listener(() => {});
    const to = server.dial({ endpoint: parseEndpoint(host, false) });
    const failure = failureOf(to.connect(() => {}));
    to.close();
    expect((await failure).reason).toBe("closed");
    close();
  });
});

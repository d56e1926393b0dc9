import http from "node:http";
import http2 from "node:http2";
import { once } from "node:events";
import type net from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { countHttp1 } from "../../servers/count-http1.js";
import { countHttp2 } from "../../servers/count-http2.js";
import { countZooKeeper } from "../../servers/count-zookeeper.js";
import { createProxy } from "../../servers/index.js";
import type { CounterFactory, TrafficCount } from "../../servers/traffic-count.js";

const cleanUps: (() => unknown)[] = [];

afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

/** Feeds both directions in pieces of every size, which must not change the result. */
function expectCount(factory: CounterFactory, toServer: Buffer, toClient: Buffer, requests: number, replies: number) {
  for (let size = 1; size <= Math.max(toServer.length, toClient.length); size++) {
    const count: TrafficCount = { toServer: 0, toClient: 0, roundTrips: 0, requests: 0, replies: 0 };
    const counter = factory(count);
    for (let at = 0; at < toServer.length; at += size) counter.toServer(toServer.subarray(at, at + size));
    for (let at = 0; at < toClient.length; at += size) counter.toClient(toClient.subarray(at, at + size));
    expect({ size, requests: count.requests, replies: count.replies }).toEqual({ size, requests, replies });
  }
}

async function listening(server: net.Server): Promise<string> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  cleanUps.push(() => server.close());
  return `http://127.0.0.1:${(server.address() as net.AddressInfo).port}`;
}

describe("HTTP/1.1", () => {
  it("counts requests and responses of every kind of body", () => {
    const requests =
      "GET /a HTTP/1.1\r\nHost: x\r\n\r\n" +
      "PUT /b HTTP/1.1\r\nContent-Length: 30\r\n\r\nGET /not-a-request HTTP/1.1\r\n\r\n" +
      "POST /c HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\nA;x=y\r\n0123456789\r\n0\r\n\r\n" +
      "HEAD /d HTTP/1.1\r\n\r\n" +
      "DELETE /e HTTP/1.1\r\n\r\n";
    const responses =
      "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc" +
      "HTTP/1.1 100 Continue\r\n\r\n" +
      "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n" +
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nTrailer: t\r\n\r\n" +
      "HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n" +
      "HTTP/1.1 204 No Content\r\n\r\n";
    expectCount(countHttp1, Buffer.from(requests), Buffer.from(responses), 5, 5);
  });

  it("counts no response before its last byte", () => {
    const response = Buffer.from("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc");
    expectCount(countHttp1, Buffer.from("GET / HTTP/1.1\r\n\r\n"), response.subarray(0, -1), 1, 0);
  });

  it("counts what Node's client and server say to each other", async () => {
    const server = http.createServer((request, response) => {
      request.resume();
      request.on("end", () => response.end(request.url));
    });
    const proxy = await createProxy(await listening(server), { count: "http1" });
    cleanUps.push(() => proxy.close());
    for (let at = 0; at < 5; at++) {
      const response = await fetch(`${proxy.endpoint}/${at}`, { method: "POST", body: "x".repeat(at * 10_000) });
      expect(await response.text()).toBe(`/${at}`);
    }
    expect(proxy.count).toMatchObject({ requests: 5, replies: 5 });
  });
});

describe("HTTP/2", () => {
  it("counts the streams of Node's client, and holds back replies", async () => {
    const server = http2.createServer();
    server.on("session", (session) => session.on("error", () => undefined));
    server.on("stream", (stream, headers) => {
      stream.on("error", () => undefined);
      stream.respond({ ":status": 200 });
      if (headers[":path"] === "/watch") stream.write("event");
      else stream.end("x".repeat(headers[":path"] === "/large" ? 100_000 : 10));
    });
    const proxy = await createProxy(await listening(server), { count: "http2" });
    const session = http2.connect(proxy.endpoint);
    session.on("error", () => undefined);
    cleanUps.push(
      () => proxy.close(),
      () => session.destroy(),
    );
    const open = (path: string): http2.ClientHttp2Stream =>
      session.request({ ":path": path }).on("error", () => undefined);
    await Promise.all(
      Array.from({ length: 7 }, async () => {
        const stream = open("/large");
        stream.resume();
        await once(stream, "end");
      }),
    );
    await once(open("/watch"), "data");
    expect(proxy.count).toMatchObject({ requests: 8, replies: 7 });

    const held = proxy.holdReplies();
    const lost = open("/unary");
    const failed = new Promise((resolve) => lost.on("close", resolve));
    await held.arrived();
    proxy.cut();
    await failed;
    expect(lost.readableLength).toBe(0);
  });

  it("does not depend on how the stream is cut", () => {
    const frame = (type: number, flags: number, stream: number, body: string): Buffer => {
      const header = Buffer.alloc(9);
      header.writeUIntBE(body.length, 0, 3);
      header.writeUInt8(type, 3);
      header.writeUInt8(flags, 4);
      header.writeUInt32BE(stream, 5);
      return Buffer.concat([header, Buffer.from(body)]);
    };
    const [data, headers, settings] = [0, 1, 4];
    const toServer = Buffer.concat([
      Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
      frame(settings, 0, 0, "123456"),
      frame(headers, 4, 1, "head"),
      frame(data, 1, 1, "body"),
      frame(headers, 4, 3, "head"),
      frame(headers, 5, 3, "trailers of the same stream"),
    ]);
    const toClient = Buffer.concat([
      frame(settings, 1, 0, ""), // the acknowledgement's flag has the value of END_STREAM
      frame(headers, 4, 1, "head"),
      frame(data, 0, 1, "message"),
      frame(headers, 5, 1, "trailers"),
      frame(headers, 4, 3, "head"),
    ]);
    expectCount(countHttp2, toServer, toClient, 2, 1);
  });
});

describe("ZooKeeper", () => {
  it("counts numbered requests and replies, not the handshake, pings or events", () => {
    const frame = (number: number, rest: string): Buffer => {
      const header = Buffer.alloc(8);
      header.writeInt32BE(4 + rest.length, 0);
      header.writeInt32BE(number, 4);
      return Buffer.concat([header, Buffer.from(rest)]);
    };
    const toServer = [frame(0, "connect"), frame(1, "create"), frame(-2, "ping"), frame(2, "get"), frame(-4, "auth")];
    const toClient = [frame(0, "connected"), frame(1, "reply"), frame(-1, "event"), frame(-2, "pong")];
    expectCount(countZooKeeper, Buffer.concat(toServer), Buffer.concat(toClient), 2, 1);
  });
});

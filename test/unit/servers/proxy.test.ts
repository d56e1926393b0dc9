import { once } from "node:events";
import net from "node:net";
import { afterEach, expect, it } from "vitest";
import { createDeferred } from "../../../src/util/deferred.js";
import { createProxy, type ProxyOptions, waitUntil } from "../../servers/index.js";

const cleanUps: (() => unknown)[] = [];

afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

/** A server that sends back each piece it gets, and remembers it. */
async function startEcho() {
  const received: string[] = [];
  const sockets = new Set<net.Socket>();
  const server = net.createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => undefined);
    socket.on("data", (bytes) => {
      received.push(bytes.toString());
      socket.write(bytes);
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  cleanUps.push(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return { endpoint: `127.0.0.1:${(server.address() as net.AddressInfo).port}`, received, sockets };
}

async function startProxied(options: ProxyOptions = {}) {
  const echo = await startEcho();
  const proxy = await createProxy(echo.endpoint, options);
  cleanUps.push(() => proxy.close());
  return { echo, proxy };
}

/** A connection that collects what it gets, and how it ended. */
function connect(port: number) {
  const socket = net.connect(port, "127.0.0.1");
  const ended = createDeferred<string>();
  let text = "";
  socket.on("data", (bytes) => {
    text += bytes.toString();
  });
  socket.on("error", (error: NodeJS.ErrnoException) => ended.resolve(error.code ?? error.message));
  socket.on("close", () => ended.resolve("closed"));
  cleanUps.push(() => socket.destroy());
  return {
    socket,
    ended: ended.promise,
    text: () => text,
    gets: (wanted: string) => waitUntil(`the text ${wanted}`, async () => text === wanted, { timeoutMs: 5_000 }),
  };
}

/** Time enough for bytes to arrive on the loopback if anything lets them through. */
const roundTripOnAnotherConnection = async (endpoint: string): Promise<void> => {
  const probe = connect(Number(endpoint.split(":")[1]));
  for (const _ of Array.from({ length: 20 })) {
    probe.socket.write("x");
    await once(probe.socket, "data");
  }
};

it("passes bytes both ways and counts them", async () => {
  const { proxy } = await startProxied();
  const client = connect(proxy.port);
  client.socket.write("one");
  await client.gets("one");
  client.socket.write("two");
  await client.gets("onetwo");
  expect(proxy.count).toEqual({ toServer: 6, toClient: 6, roundTrips: 2, requests: 0, replies: 0 });
  expect(proxy.connections).toBe(1);
  expect(proxy.accepted).toBe(1);
  proxy.resetCount();
  expect(proxy.count.roundTrips).toBe(0);
});

it("carries a large transfer through full buffers", async () => {
  const { proxy } = await startProxied();
  const client = connect(proxy.port);
  const large = "0123456789".repeat(800_000);
  client.socket.write(large);
  await client.gets(large);
  expect(proxy.count.toClient).toBe(large.length);
});

it("passes the end of one direction and keeps the other open", async () => {
  const late = net.createServer({ allowHalfOpen: true }, (socket) => {
    socket.on("end", () => socket.end("said after your end"));
    socket.resume();
  });
  late.listen(0, "127.0.0.1");
  await once(late, "listening");
  cleanUps.push(() => late.close());
  const proxy = await createProxy(`127.0.0.1:${(late.address() as net.AddressInfo).port}`);
  cleanUps.push(() => proxy.close());
  proxy.delay(30);
  const client = connect(proxy.port);
  client.socket.end("bye");
  expect(await client.ended).toBe("closed");
  expect(client.text()).toBe("said after your end");
  await waitUntil("the proxy forgets the connection", async () => proxy.connections === 0, { timeoutMs: 2_000 });
});

it("cuts with a reset on both sides, and accepts new connections", async () => {
  const { echo, proxy } = await startProxied();
  const client = connect(proxy.port);
  client.socket.write("before");
  await client.gets("before");
  const serverSide = [...echo.sockets][0]!;
  const serverSaw = new Promise((resolve) => serverSide.on("error", resolve));
  proxy.cut();
  expect(await client.ended).toBe("ECONNRESET");
  expect(await serverSaw).toMatchObject({ code: "ECONNRESET" });
  const next = connect(proxy.port);
  next.socket.write("after");
  await next.gets("after");
});

it("refuses new connections, lets open ones go on, and accepts again on the same port", async () => {
  const { proxy } = await startProxied();
  const old = connect(proxy.port);
  old.socket.write("a");
  await old.gets("a");
  proxy.refuse();
  expect(await connect(proxy.port).ended).toBe("ECONNREFUSED");
  old.socket.write("b");
  await old.gets("ab");
  await proxy.accept();
  const next = connect(proxy.port);
  next.socket.write("c");
  await next.gets("c");
});

it("stalls requests: accepted, nothing reaches the server, nothing ends, and resume delivers", async () => {
  const { echo, proxy } = await startProxied();
  const old = connect(proxy.port);
  old.socket.write("a");
  await old.gets("a");
  proxy.stall();
  const late = connect(proxy.port);
  await once(late.socket, "connect");
  old.socket.write("b");
  late.socket.write("c");
  await roundTripOnAnotherConnection(echo.endpoint);
  expect(echo.received.filter((text) => text !== "x")).toEqual(["a"]);
  expect(old.socket.destroyed || late.socket.destroyed).toBe(false);
  proxy.resume();
  await old.gets("ab");
  await late.gets("c");
});

it("stalls replies only: the server gets the request", async () => {
  const { echo, proxy } = await startProxied();
  proxy.stall("toClient");
  const client = connect(proxy.port);
  client.socket.write("request");
  await waitUntil("the request arrives", async () => echo.received.includes("request"), { timeoutMs: 5_000 });
  await roundTripOnAnotherConnection(echo.endpoint);
  expect(client.text()).toBe("");
  proxy.resume();
  await client.gets("request");
});

it("stalls requests only: what the server sends still arrives", async () => {
  const { echo, proxy } = await startProxied();
  const client = connect(proxy.port);
  client.socket.write("a");
  await client.gets("a");
  proxy.stall("toServer");
  client.socket.write("b");
  for (const socket of echo.sockets) socket.write("event");
  await client.gets("aevent");
  expect(echo.received).toEqual(["a"]);
});

it("delays each direction and keeps the order", async () => {
  const { proxy } = await startProxied();
  const client = connect(proxy.port);
  proxy.delay(60);
  const started = performance.now();
  client.socket.write("slow");
  await client.gets("slow");
  expect(performance.now() - started).toBeGreaterThanOrEqual(119);
  client.socket.write("first");
  await waitUntil("the proxy has it", async () => proxy.count.toServer === 9, { timeoutMs: 5_000, intervalMs: 1 });
  proxy.delay(0);
  client.socket.write("second");
  await client.gets("slowfirstsecond");
});

it("holds replies until they arrived, and drops them with the cut", async () => {
  const { echo, proxy } = await startProxied({ count: "http1" });
  const client = connect(proxy.port);
  const held = proxy.holdReplies();
  const exchange = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi"; // echoed: a reply as far as the counter sees
  client.socket.write(exchange);
  await held.arrived();
  expect(echo.received).toEqual([exchange]);
  proxy.cut();
  expect(await client.ended).toBe("ECONNRESET");
  expect(client.text()).toBe("");
  proxy.resume();
  const next = connect(proxy.port);
  next.socket.write("free");
  await next.gets("free");
});

it("resets the client when the server is not there", async () => {
  const { echo, proxy } = await startProxied();
  const unused = await createProxy(echo.endpoint);
  await unused.close();
  const toNowhere = await createProxy(unused.endpoint);
  cleanUps.push(() => toNowhere.close());
  expect(await connect(toNowhere.port).ended).toBe("ECONNRESET");
  expect(proxy.endpoint).toBe(`127.0.0.1:${proxy.port}`);
});

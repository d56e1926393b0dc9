import { once } from "node:events";
import { createServer, type Socket } from "node:net";
import { expect, it } from "vitest";
import { JuteWriter } from "../../../src/zookeeper/client/codec.js";
import { connect, ZooKeeperError } from "../../../src/zookeeper/client/index.js";
import { waitUntil } from "../../servers/index.js";
import { failureOf } from "../../integration/zookeeper-client/support.js";

const framesEach = 2_000;
const clientCount = 10;
const turnsEach = 5;

/** A seeded source of chance, so that a failure can be seen again: a whole number below `bound`. */
function chanceFrom(seed: number): (bound: number) => number {
  let state = seed;
  return (bound) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * bound);
  };
}

function frame(write: (to: JuteWriter) => void): Buffer {
  const writer = new JuteWriter();
  const mark = writer.beginFrame();
  write(writer);
  writer.endFrame(mark);
  return Buffer.from(writer.take());
}

const greeting = frame((to) => {
  for (const value of [0, 4_000, 0, 255]) to.int(value);
  to.buffer(Buffer.alloc(16, 1));
  to.bool(false);
});

/** Frames that a client has to bear: events that nobody asked for, of kinds and about paths that there cannot be. */
function strangeEvent(chance: (bound: number) => number): Buffer {
  return frame((to) => {
    for (const value of [-1, chance(2 ** 31), chance(2 ** 31), chance(200) - 100]) to.int(value);
    to.int(chance(40) - 10);
    to.int(chance(40) - 10);
    to.buffer(Buffer.from(Array.from({ length: chance(60) }, () => chance(256))));
    if (chance(2) === 0) to.buffer(Buffer.alloc(chance(100), chance(256)));
  });
}

/** Frames after which nothing on the connection can be believed. */
const deadly: readonly ((chance: (bound: number) => number) => Buffer)[] = [
  () => frame((to) => to.int(1)), // too short for a header
  (chance) => frame((to) => [chance(2 ** 31), 0, 0, 0].forEach((value) => to.int(value))), // an answer to nothing
  () => frame((to) => [-1, 0, 0, 0, 3, 3, 0x7fffff00].forEach((value) => to.int(value))), // a path of 2 GiB
  () => Buffer.from([0xff, 0xff, 0xff, 0xfe]), // a frame of -2 bytes
  () => Buffer.from([0x7f, 0xff, 0xff, 0xff]), // a frame of 2 GiB
  // A frame of 120 MiB, just allowed, of which nothing more comes than this.
  () => Buffer.concat([Buffer.from([0x07, 0x80, 0, 0]), Buffer.alloc(100_000)]),
];

it("a server that answers nonsense over real sockets brings errors only, and costs little memory", async () => {
  const chance = chanceFrom(20_261_123);
  let frames = 0;
  let turns = 0;
  const talk = (socket: Socket): void => {
    socket.on("error", () => {});
    socket.once("data", () => {
      socket.write(greeting);
      // The question what it has is answered, so that the client takes it for a server and asks for more.
      socket.once("data", () => {
        socket.write(frame((to) => [1, 0, 0, 0, 0].forEach((value) => to.int(value))));
        socket.once("data", () => {
          for (let at = 0; at < framesEach; at++) socket.write(strangeEvent(chance));
          socket.write(deadly[turns % deadly.length]!(chance));
          frames += framesEach + 1;
          turns++;
        });
      });
    });
  };
  const server = createServer(talk);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const servers = `127.0.0.1:${typeof address === "object" ? address?.port : ""}`;
  const before = process.memoryUsage();
  let most = 0;
  const clients = await Promise.all(
    Array.from({ length: clientCount }, () => connect({ servers, closeTimeoutMs: 50, timeoutMs: 10_000 })),
  );
  let told = 0;
  const load = { over: false };
  const use = clients.map(async (client) => {
    while (!load.over) {
      const failure = await failureOf(client.getData("/a", { watch: () => void told++, timeoutMs: 1_000 }));
      expect(failure).toBeInstanceOf(ZooKeeperError);
    }
  });
  await waitUntil(
    "every client has met enough",
    async () => {
      most = Math.max(most, process.memoryUsage().arrayBuffers);
      return turns >= clientCount * turnsEach && frames > 50_000;
    },
    { timeoutMs: 60_000 },
  );
  load.over = true;
  await Promise.all(use);
  await Promise.all(clients.map((client) => client.close()));
  server.close();
  expect(frames).toBeGreaterThan(50_000);
  // No watch was ever set, as no read was answered.
  expect(told).toBe(0);
  // Most of it is the server's own. The clients were promised frames of more than a gigabyte together.
  expect(most - before.arrayBuffers).toBeLessThan(256 * 1024 * 1024);
  expect(process.memoryUsage().heapUsed - before.heapUsed).toBeLessThan(256 * 1024 * 1024);
});

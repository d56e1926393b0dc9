import { once } from "node:events";
import { createServer, type Socket } from "node:net";
import { setTimeout } from "node:timers/promises";
import { expect, it } from "vitest";
import { JuteReader, JuteWriter } from "../../../src/zookeeper/client/codec.js";
import { FrameReader } from "../../../src/zookeeper/client/framing.js";
import { connect } from "../../../src/zookeeper/client/index.js";
import { HandClock } from "./hand-clock.js";

const syncOpcode = 9;

function frame(write: (to: JuteWriter) => void): Buffer {
  const writer = new JuteWriter();
  const mark = writer.beginFrame();
  write(writer);
  writer.endFrame(mark);
  return writer.take();
}

const greeting = frame((to) => {
  for (const value of [0, 4_000, 0, 255]) to.int(value);
  to.buffer(Buffer.alloc(16, 1));
  to.bool(false);
});

/** A server that answers the first `sync` at once and the others a little later, all together. */
function serve(socket: Socket): void {
  const answers: Buffer[] = [];
  let greeted = false;
  const frames = new FrameReader(1_000_000, (buffer, start, end) => {
    if (!greeted) {
      greeted = true;
      socket.write(greeting);
      return;
    }
    const reader = new JuteReader().reset(buffer, start, end);
    const xid = reader.int();
    const isSync = reader.int() === syncOpcode;
    const answer = frame((to) => {
      for (const value of [xid, 0, 1, 0]) to.int(value);
      if (isSync) to.string("/");
      else to.int(0);
    });
    if (!isSync || answers.push(answer) === 1) socket.write(answer);
  });
  socket.on("data", (chunk: Buffer) => {
    frames.push(chunk);
    if (answers.length > 1) void setTimeout(20).then(() => socket.write(Buffer.concat(answers.splice(1))));
  });
  socket.on("error", () => {});
}

it("answers that came before their deadline count, though reading was paused", async () => {
  const server = createServer({ noDelay: true }, serve).listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const port = typeof address === "object" ? address?.port : "";
  const clock = new HandClock();
  const client = await connect({ servers: `127.0.0.1:${port}`, clock, closeTimeoutMs: 1 });
  try {
    let answered = 0;
    const calls = Array.from({ length: 64 }, () => client.sync("/", { timeoutMs: 0.5 }).then(() => answered++));
    const all = Promise.all(calls);
    await expect.poll(() => answered).toBe(1);
    // By the clock that stands still the pause goes on.
    await setTimeout(100);
    expect(answered).toBe(1);
    clock.advance(0.5);
    await setTimeout(100);
    clock.advance(2);
    await all;
  } finally {
    const closed = client.close();
    await setTimeout(10);
    clock.advance(10);
    await closed;
    server.close();
  }
});

import { describe, expect, it } from "vitest";
import { JuteWriter } from "../../../src/zookeeper/client/codec.js";
import { Chroot } from "../../../src/zookeeper/client/paths.js";
import { rearm } from "../../../src/zookeeper/client/rearm.js";
import { Xid } from "../../../src/zookeeper/client/records.js";
import { Zxid } from "../../../src/zookeeper/client/stat.js";
import { WatchRegistry } from "../../../src/zookeeper/client/watches.js";
import { openWire } from "./wire.js";

/** An answer without a body. */
function answer(xid: number, zxid: bigint): Buffer {
  const writer = new JuteWriter();
  const mark = writer.beginFrame();
  writer.int(xid);
  writer.long(zxid);
  writer.int(0);
  writer.endFrame(mark);
  return writer.take();
}

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe("setting watches again", () => {
  it("counts what the new connection sees only when all watches are set", async () => {
    const watches = new WatchRegistry(new Chroot());
    for (let at = 0; at < 400; at++) watches.addOneShot("data", `/${"x".repeat(500)}-${at}`, () => {});
    expect([...watches.pathsToSet()]).toHaveLength(2);
    const lastSeen = new Zxid();
    lastSeen.raise(0, 7);
    const { wire, connection } = openWire();
    rearm(connection, watches, lastSeen, 0);
    wire.emit("data", answer(Xid.setWatches, 100n));
    await settled();
    // Lost here, the next connection must ask for what happened since 7 on behalf of the second part.
    expect(lastSeen.value).toBe(7n);
    wire.emit("data", answer(Xid.setWatches, 101n));
    await settled();
    expect(lastSeen.value).toBe(101n);
    expect(connection.lastSeen).toBe(lastSeen);
  });

  it("counts it at once when there are none", () => {
    const lastSeen = new Zxid();
    const { connection } = openWire();
    connection.lastSeen.raise(0, 9);
    rearm(connection, new WatchRegistry(new Chroot()), lastSeen, 0);
    expect(lastSeen.value).toBe(9n);
    expect(connection.lastSeen).toBe(lastSeen);
  });
});

import type { Socket } from "node:net";
import { Duplex } from "node:stream";
import { systemClock } from "../../../src/util/clock.js";
import { Connection } from "../../../src/zookeeper/client/connection.js";

/** The client's end of a wire whose other end is the test: it brings bytes by emitting `data`. */
class Wire extends Duplex {
  override _read(): void {}
  override _write(_chunk: Buffer, _encoding: string, done: () => void): void {
    done();
  }
}

/** A connection over such a wire, greeted already, to a server of 3.7; its reads are `moderated` or not. */
export function openWire({ moderated = true } = {}): { wire: Duplex; connection: Connection } {
  const wire = new Wire();
  const connection = new Connection(wire as unknown as Socket, {
    clock: systemClock,
    server: "test:2181",
    maxRequestBytes: 0xfffff,
    maxResponseBytes: 16 * 1024 * 1024,
    moderated,
  });
  connection.level = 3.7;
  return { wire, connection };
}

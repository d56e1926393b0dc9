import { describe, expect, it } from "vitest";
import { JuteReader, JuteWriter } from "../../../src/zookeeper/client/codec.js";
import { Stat } from "../../../src/zookeeper/client/stat.js";

/** A Stat as it comes off the wire, of a node with this owner. */
function statOf(owner: bigint): Stat {
  const writer = new JuteWriter();
  for (const value of [1n, 2n, 3n, 4n]) writer.long(value);
  for (const value of [5, 6, 7]) writer.int(value);
  writer.long(owner);
  for (const value of [8, 9]) writer.int(value);
  writer.long(10n);
  return new Stat(new JuteReader().reset(writer.take()));
}

describe("the owner of a node", () => {
  it.each([
    [0n, false, "none"],
    [0x1000_0000_0000_0001n, true, "a session"],
    [1n, true, "a session with nothing in the upper half"],
    [BigInt.asIntN(64, 0xfe00_0000_0000_0001n), true, "a session of the server with the highest number"],
    [-(2n ** 63n), false, "the mark of a container"],
    [BigInt.asIntN(64, 0xff00_0000_0000_2710n), false, "the mark of a node with a TTL"],
  ])("%d makes it ephemeral: %s (%s)", (owner, ephemeral) => {
    expect(statOf(owner).ephemeralOwner).toBe(owner);
    expect(statOf(owner).isEphemeral).toBe(ephemeral);
  });
});

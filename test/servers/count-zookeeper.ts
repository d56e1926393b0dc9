import { FrameReader } from "./frame-reader.js";
import type { ProtocolCounter, TrafficCount } from "./traffic-count.js";

/**
 * Counts ZooKeeper requests and their replies. Every frame is a length of 4 bytes, then (but for the first frame of each
 * direction, which opens the session) the request's number: negative for pings, authentication, watches set again, and
 * events, none of which count. Source: `zookeeper.jute` and `ClientCnxn` of ZooKeeper 3.4 to 3.9.
 */
export function countZooKeeper(count: TrafficCount): ProtocolCounter {
  const frames = (onNumbered: () => void): FrameReader => {
    let isFirst = true;
    return new FrameReader(8, (header) => {
      if (!isFirst && header.readInt32BE(4) >= 0) onNumbered();
      isFirst = false;
      return header.readInt32BE(0) - 4;
    });
  };
  const toServer = frames(() => count.requests++);
  const toClient = frames(() => count.replies++);
  return { toServer: (chunk) => toServer.push(chunk), toClient: (chunk) => toClient.push(chunk) };
}

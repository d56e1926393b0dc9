import { FrameReader } from "./frame-reader.js";
import type { ProtocolCounter, TrafficCount } from "./traffic-count.js";

const typeHeaders = 0x1;
const flagEndStream = 0x1;
/** "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" */
const prefaceBytes = 24;

/**
 * Counts HTTP/2 requests (streams a client opens; a gRPC call is one, a watch too) and replies (streams a server ends,
 * which a gRPC server does with its trailers). Source: RFC 9113, sections 3.4 and 4.1.
 */
export function countHttp2(count: TrafficCount): ProtocolCounter {
  let lastStream = 0;
  const toServer = new FrameReader(
    9,
    (header) => {
      const stream = header.readUInt32BE(5) & 0x7fffffff;
      // A stream's number grows from each to the next; a second HEADERS frame on it would be trailers.
      if (header[3] === typeHeaders && stream > lastStream) {
        lastStream = stream;
        count.requests++;
      }
      return header.readUIntBE(0, 3);
    },
    prefaceBytes,
  );
  const toClient = new FrameReader(9, (header) => {
    const endsStream = header[3]! <= typeHeaders && (header[4]! & flagEndStream) !== 0;
    if (endsStream) count.replies++;
    return header.readUIntBE(0, 3);
  });
  return { toServer: (chunk) => toServer.push(chunk), toClient: (chunk) => toClient.push(chunk) };
}

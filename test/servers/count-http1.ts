import { HttpMessageReader } from "./http-message-reader.js";
import type { ProtocolCounter, TrafficCount } from "./traffic-count.js";

/** Counts HTTP/1.1 requests and complete responses, kept-alive and pipelined ones too. Interim (1xx) ones do not count. */
export function countHttp1(count: TrafficCount): ProtocolCounter {
  const methods: string[] = [];
  const requests = new HttpMessageReader({
    onHead: (startLine) => {
      methods.push(startLine.split(" ")[0]!);
      count.requests++;
      return "as-declared";
    },
    onEnd: () => undefined,
  });
  let isInterim = false;
  const responses = new HttpMessageReader({
    onHead: (startLine) => {
      const status = Number(startLine.split(" ")[1]);
      isInterim = status < 200;
      if (isInterim) return "none";
      return methods.shift() === "HEAD" || status === 204 || status === 304 ? "none" : "as-declared";
    },
    onEnd: () => {
      if (!isInterim) count.replies++;
    },
  });
  return { toServer: (chunk) => requests.push(chunk), toClient: (chunk) => responses.push(chunk) };
}

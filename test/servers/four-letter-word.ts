import net from "node:net";
import tls from "node:tls";
import type { ClientTls } from "./certificates.js";

/**
 * Sends "host:port" one of ZooKeeper's four-letter words ("srvr", "ruok", "cons", "wchs" ...) on a connection of its own and returns
 * what the server prints before it closes. The test servers allow all of them.
 */
export function fourLetterWord(
  address: string,
  word: string,
  options: { tls?: ClientTls | undefined; timeoutMs?: number | undefined } = {},
): Promise<string> {
  const timeoutMs = options.timeoutMs ?? 2_000;
  return new Promise((resolve, reject) => {
    const colon = address.lastIndexOf(":");
    const target = { host: address.slice(0, colon), port: Number(address.slice(colon + 1)) };
    const socket = options.tls === undefined ? net.connect(target) : tls.connect({ ...target, ...options.tls });
    let text = "";
    socket.setTimeout(timeoutMs, () => socket.destroy(new Error(`no answer to ${word} within ${timeoutMs} ms`)));
    socket.setEncoding("utf8");
    socket.on("data", (chunk: string) => {
      text += chunk;
    });
    socket.on("error", reject);
    socket.on("close", () => resolve(text));
    socket.write(word);
  });
}

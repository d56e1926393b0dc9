import net from "node:net";
import tls from "node:tls";
import { ConnectionLossError } from "./error-codes.js";
import { resolveAddress, type Server, serverName } from "./hosts.js";

/** How to reach servers. */
export interface DialOptions {
  /** TLS with Node's own options (`ca`, `cert`, `key`, …); `true` for the defaults. Without it, plain TCP. */
  readonly tls?: boolean | tls.ConnectionOptions | undefined;
  readonly random: () => number;
}

/** A connected socket; rejects with a `ConnectionLossError`, or with the signal's reason once it fires. */
export async function dial(server: Server, options: DialOptions, signal: AbortSignal): Promise<net.Socket> {
  signal.throwIfAborted();
  let address: string;
  try {
    address = await resolveAddress(server, options.random);
  } catch (cause) {
    throw failure(server, cause);
  }
  signal.throwIfAborted();
  return new Promise((resolve, reject) => {
    const socket = open(server, address, options);
    const settle = (): void => {
      signal.removeEventListener("abort", onAbort);
      socket.removeListener("error", onError);
    };
    const onAbort = (): void => {
      settle();
      // The socket may still report an error of its own, which nobody needs any more.
      socket.on("error", () => {});
      socket.destroy();
      reject(signal.reason as Error);
    };
    const onError = (error: Error): void => {
      settle();
      socket.destroy();
      reject(failure(server, error));
    };
    signal.addEventListener("abort", onAbort, { once: true });
    socket.once("error", onError);
    socket.once(options.tls ? "secureConnect" : "connect", () => {
      settle();
      socket.setNoDelay(true);
      resolve(socket);
    });
  });
}

/** What one read from a socket can bring. */
const readBytes = 64 * 1024;

/**
 * The socket tells what it reads by its `data` event, as any does, but the bytes are good only during the event: all
 * reads of a plain connection go into one buffer, as a new one for each costs more than reading a small answer.
 */
function open(server: Server, address: string, options: DialOptions): net.Socket {
  const where = { host: address, port: server.port };
  if (!options.tls) {
    const buffer = Buffer.allocUnsafeSlow(readBytes);
    const callback = (bytes: number): boolean => {
      socket.emit("data", buffer.subarray(0, bytes));
      return true; // go on reading
    };
    const socket: net.Socket = net.connect({ ...where, onread: { buffer, callback } });
    return socket;
  }
  const settings = options.tls === true ? {} : options.tls;
  // The certificate is checked against the name in the server list, not against the address it was resolved to.
  const names = net.isIP(server.host) === 0 ? { servername: server.host } : {};
  return tls.connect({ ...names, ...settings, ...where });
}

function failure(server: Server, cause: unknown): ConnectionLossError {
  return new ConnectionLossError(`cannot connect to ${serverName(server)}: ${(cause as Error).message}`, { cause });
}

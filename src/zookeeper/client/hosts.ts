import { lookup } from "node:dns/promises";
import { isIP } from "node:net";
import { BadArgumentsError } from "./error-codes.js";

/** Where a server listens. */
export interface Server {
  /** A name or an address. */
  readonly host: string;
  readonly port: number;
}

const defaultPort = 2181;

/** `host:port`, an IPv6 address in brackets. */
export function serverName(server: Server): string {
  return server.host.includes(":") ? `[${server.host}]:${server.port}` : `${server.host}:${server.port}`;
}

/**
 * Reads `host:port,host:port/chroot`, ZooKeeper's usual connect string: the port is 2181 when left out, IPv6 addresses
 * stand in brackets. Throws a `BadArgumentsError` for anything else.
 */
export function parseServers(text: string): { servers: Server[]; chroot: string } {
  const slash = text.indexOf("/");
  const list = slash < 0 ? text : text.slice(0, slash);
  return { servers: list.split(",").map(parseServer), chroot: slash < 0 ? "" : text.slice(slash).replace(/\/+$/, "") };
}

function parseServer(text: string): Server {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^\s:[\]@]+))(?::(\d{1,5}))?$/.exec(text.trim());
  const host = match?.[1] ?? match?.[2];
  const port = match?.[3] === undefined ? defaultPort : Number(match[3]);
  if (host === undefined || port < 1 || port > 65_535 || (match?.[1] !== undefined && isIP(host) !== 6)) {
    throw new BadArgumentsError(`"${text}" is not a server: write host:port, [address]:port or host`);
  }
  return { host, port };
}

/** An address of the server, asked of the resolver at each call: addresses change while a client lives. */
export async function resolveAddress(server: Server, random: () => number): Promise<string> {
  if (isIP(server.host) !== 0) return server.host;
  const found = await lookup(server.host, { all: true });
  const address = found[Math.floor(random() * found.length)]?.address;
  if (address === undefined) throw new BadArgumentsError(`the name ${server.host} has no address`);
  return address;
}

/** The servers in an order of this client's own, taken in turn, so that clients spread over the ensemble. */
export class HostRing {
  readonly #servers: Server[];
  #next = 0;

  constructor(servers: readonly Server[], random: () => number) {
    this.#servers = [...servers];
    for (let last = this.#servers.length - 1; last > 0; last--) {
      const other = Math.floor(random() * (last + 1));
      const server = this.#servers[last]!;
      this.#servers[last] = this.#servers[other]!;
      this.#servers[other] = server;
    }
  }

  get size(): number {
    return this.#servers.length;
  }

  next(): Server {
    const server = this.#servers[this.#next]!;
    this.#next = (this.#next + 1) % this.#servers.length;
    return server;
  }

  /** Makes this server the next one. */
  prefer(server: Server): void {
    this.#next = Math.max(this.#servers.indexOf(server), 0);
  }
}

import type { Clock } from "../../util/clock.js";
import type { Auth, SaslAuth, SchemeAuth } from "./auth.js";
import { Connection } from "./connection.js";
import { dial, type DialOptions } from "./dial.js";
import { AuthFailedError, ConnectionLossError, NoWatcherError, UnimplementedError } from "./error-codes.js";
import type { ZooKeeperError } from "./errors.js";
import { type Server, serverName } from "./hosts.js";
import { multiReadOperation } from "./multi.js";
import { type Operation, whoAmIOperation } from "./operations.js";
import { Chroot } from "./paths.js";
import { type ConnectRequest, type ConnectResponse, type ServerLevel, Xid } from "./records.js";
import { Request } from "./request.js";
import { authOperation, removeWatchesOperation, saslOperation } from "./session-operations.js";

/** How connections are opened. */
export interface HandshakeOptions extends DialOptions {
  readonly clock: Clock;
  readonly auth: readonly Auth[];
  readonly maxRequestBytes: number;
  readonly maxResponseBytes: number;
}

/** The part of a session that an attempt to connect needs. */
export interface SessionTicket {
  /** Whether the connection is only to end the session, for which no authentication and no level is needed. */
  readonly onlyToClose: boolean;
  connectRequest(): ConnectRequest;
  /** The server's first words, told as soon as they come; throws when they mean that the session is gone. */
  greeted(response: ConnectResponse, sentAt: number): void;
}

/** A request whose answer shows which release line the server belongs to, and the level when the server knows it. */
interface Probe {
  readonly level: ServerLevel;
  readonly operation: Operation<unknown, unknown>;
  readonly args: unknown;
}

// Each asks for next to nothing: who am I, read no nodes, remove a watch that was never set.
const probes: readonly Probe[] = [
  { level: 3.7, operation: whoAmIOperation, args: undefined },
  { level: 3.6, operation: multiReadOperation, args: { operations: [], chroot: new Chroot() } },
  { level: 3.5, operation: removeWatchesOperation, args: { path: "/", type: "any" } },
];

/** How long a server is taken to be as old as it was seen to be: rolling upgrades happen while a client lives. */
const oldServerMemoryMs = 5 * 60_000;

/**
 * Opens connections that are ready for requests: session named, authenticated, and the server's level known. A server
 * answers an operation that it does not know by closing the connection, so the probes go before anything that could be
 * lost; what is older than 3.7 costs one connection more for each level, once.
 */
export class Handshake {
  readonly #options: HandshakeOptions;
  readonly #old = new Map<string, { firstProbe: number; forgetAt: number }>();

  constructor(options: HandshakeOptions) {
    this.#options = options;
  }

  async open(server: Server, ticket: SessionTicket, signal: AbortSignal): Promise<Connection> {
    for (;;) {
      const connection = await this.#greet(server, ticket, signal);
      if (ticket.onlyToClose) return connection;
      // Whatever step the attempt is at, ending it ends the connection, and that ends the step.
      const onAbort = (): void => connection.destroy(signal.reason as ZooKeeperError);
      signal.addEventListener("abort", onAbort, { once: true });
      try {
        await this.#authenticate(connection, server);
        if (await this.#learnLevel(connection)) return connection;
      } catch (error) {
        connection.destroy(error as ZooKeeperError);
        throw error;
      } finally {
        signal.removeEventListener("abort", onAbort);
      }
    }
  }

  async #greet(server: Server, ticket: SessionTicket, signal: AbortSignal): Promise<Connection> {
    const socket = await dial(server, this.#options, signal);
    const moderated = !this.#options.tls;
    const connection = new Connection(socket, { ...this.#options, server: serverName(server), moderated });
    const onAbort = (): void => connection.destroy(signal.reason as ZooKeeperError);
    signal.addEventListener("abort", onAbort, { once: true });
    try {
      const sentAt = this.#options.clock.now();
      const response = await connection.greet(ticket.connectRequest());
      signal.throwIfAborted();
      ticket.greeted(response, sentAt);
      return connection;
    } catch (error) {
      connection.destroy(error as ZooKeeperError);
      throw error;
    } finally {
      signal.removeEventListener("abort", onAbort);
    }
  }

  async #authenticate(connection: Connection, server: Server): Promise<void> {
    for (const auth of this.#options.auth) {
      if ("sasl" in auth) await this.#authenticateBySasl(connection, auth, server);
      else await this.#authenticateByScheme(connection, auth);
    }
  }

  async #authenticateByScheme(connection: Connection, auth: SchemeAuth): Promise<void> {
    const { scheme, credentials } = auth;
    const args = { scheme, credentials: Buffer.from(credentials as string) };
    const request = new Request(authOperation, args, undefined, Infinity);
    connection.send(request, this.#options.clock.now(), Xid.auth);
    await request.promise;
  }

  async #authenticateBySasl(connection: Connection, auth: SaslAuth, server: Server): Promise<void> {
    const exchange = await auth.sasl.start({ host: server.host });
    let token: Uint8Array | undefined = await exchange.initial();
    while (token !== undefined) {
      const request = new Request(saslOperation, token, undefined, Infinity);
      connection.send(request, this.#options.clock.now());
      const challenge = await request.promise;
      try {
        token = await exchange.respond(challenge);
      } catch (cause) {
        throw new AuthFailedError(`the SASL exchange failed: ${(cause as Error).message}`, { cause });
      }
    }
  }

  /** Whether the connection is fit for use: false when a probe has cost it. */
  async #learnLevel(connection: Connection): Promise<boolean> {
    const { clock } = this.#options;
    const memory = this.#old.get(connection.server);
    const first = memory !== undefined && clock.now() < memory.forgetAt ? memory.firstProbe : 0;
    const probe = probes[first];
    if (probe === undefined) return true; // older than every probe: the level that a connection starts with
    connection.level = probe.level;
    const request = new Request(probe.operation, probe.args, undefined, Infinity);
    connection.send(request, clock.now());
    try {
      await request.promise;
    } catch (error) {
      if (error instanceof UnimplementedError) {
        this.#old.set(connection.server, { firstProbe: first + 1, forgetAt: clock.now() + oldServerMemoryMs });
        connection.destroy(new ConnectionLossError(`${connection.server} is older than ${probe.level}`));
        return false;
      }
      if (!(error instanceof NoWatcherError)) throw error;
    }
    return true;
  }
}

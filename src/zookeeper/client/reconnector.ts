import { Backoff } from "../../util/backoff.js";
import { sleep } from "../../util/sleep.js";
import type { Auth, SchemeAuth } from "./auth.js";
import type { Connection } from "./connection.js";
import { ConnectionLossError, SessionExpiredError } from "./error-codes.js";
import { ClosedError, type ZooKeeperError } from "./errors.js";
import { Handshake, type HandshakeOptions, type SessionTicket } from "./handshake.js";
import { HostRing, type Server, serverName } from "./hosts.js";
import { patienceMs } from "./patience.js";
import { findWritable } from "./read-only.js";
import type { ConnectRequest, ConnectResponse } from "./records.js";
import type { SessionCredentials, SessionInfo } from "./session-state.js";
import type { Zxid } from "./stat.js";

export interface ReconnectorOptions extends HandshakeOptions {
  readonly servers: readonly Server[];
  readonly auth: Auth[];
  readonly sessionTimeoutMs: number;
  /** How long one attempt may take; undefined for what {@link patienceMs} gives it. */
  readonly connectTimeoutMs: number | undefined;
  /** A session begun elsewhere, to be taken over. */
  readonly resume: SessionCredentials | undefined;
  /** Whether a server cut off from its ensemble will do. */
  readonly readOnly: boolean;
}

/** What the session is told. */
export interface ReconnectorHandlers {
  /** A server granted or confirmed the session in answer to what was sent at this time of the clock. */
  onGranted(sentAt: number, session: SessionInfo): void;
  onExpired(error: SessionExpiredError): void;
  /** A connection is ready; the promise settles when it has ended. */
  onOpened(connection: Connection, session: SessionInfo, readOnly: boolean): Promise<void>;
  onFailed(error: ZooKeeperError): void;
}

/** A connection that lasted this long was a good one: the next loss starts with short pauses again. */
const steadyMs = 1_000;
/** So many rounds of refused greetings, and the servers are taken to have lost the data this client saw. */
const refusedRounds = 3;

type Credentials = SessionInfo & SessionCredentials;

interface Attempt {
  readonly controller: AbortController;
  /** Whether the server may have made a session by now. */
  greeted: boolean;
}

/** Keeps a connection open: server after server, a pause with jitter after each round, and the session's credentials. */
export class Reconnector {
  readonly #options: ReconnectorOptions;
  readonly #handlers: ReconnectorHandlers;
  readonly #handshake: Handshake;
  readonly #ring: HostRing;
  readonly #lastSeen: Zxid;
  readonly #backoff = new Backoff({ initialMs: 50, maximumMs: 2_000 });
  #credentials: Credentials | undefined;
  #granted: { session: SessionInfo; readOnly: boolean } | undefined;
  #attempt: Attempt | undefined;
  #connection: Connection | undefined;
  #pause: AbortController | undefined;
  #failures = 0;
  #refusals = 0;
  /** How many attempts in a row ended for lack of an answer. */
  #unanswered = 0;
  #stopping = false;
  #abandoned = false;
  #done: Promise<void> = Promise.resolve();
  /** Why the last attempt failed, for those who waited for it. */
  lastFailure: ZooKeeperError | undefined;

  constructor(options: ReconnectorOptions, lastSeen: Zxid, handlers: ReconnectorHandlers) {
    this.#options = options;
    this.#handlers = handlers;
    this.#handshake = new Handshake(options);
    this.#ring = new HostRing(options.servers, options.random);
    this.#lastSeen = lastSeen;
    if (options.resume !== undefined) this.#credentials = { timeoutMs: options.sessionTimeoutMs, ...options.resume };
  }

  get credentials(): SessionCredentials | undefined {
    const present = this.#credentials;
    return present && { id: present.id, password: Uint8Array.from(present.password) };
  }

  start(): void {
    this.#done = this.#run();
  }

  addAuth(auth: SchemeAuth): void {
    this.#options.auth.push(auth);
  }

  /** The next connection begins a new session. */
  forgetSession(): void {
    this.#credentials = undefined;
  }

  abortAttempt(reason: ZooKeeperError): void {
    this.#attempt?.controller.abort(reason);
  }

  /** Goes on only as long as there is a session to close, at most `timeoutMs`; resolves when all is over. */
  async stop(timeoutMs: number): Promise<void> {
    this.#stopping = true;
    this.#pause?.abort();
    const timer = this.#options.clock.after(timeoutMs, () => this.#abandon());
    if (this.#attempt?.greeted === false && this.#credentials === undefined) this.#abandon();
    await this.#done;
    timer.cancel();
  }

  /** Ends it now, whatever state it is in. */
  #abandon(): void {
    this.#abandoned = true;
    this.#pause?.abort();
    this.#connection?.destroy(new ClosedError());
    this.abortAttempt(new ClosedError());
  }

  get #wanted(): boolean {
    return !this.#stopping || (this.#credentials !== undefined && !this.#abandoned);
  }

  async #run(): Promise<void> {
    while (this.#wanted) {
      const server = this.#ring.next();
      const connection = await this.#tryServer(server);
      if (connection === undefined) this.#failures++;
      else await this.#serve(connection);
      if (this.#failures > 0 && this.#failures % this.#ring.size === 0 && this.#wanted) await this.#rest();
    }
  }

  async #serve(connection: Connection): Promise<void> {
    const { clock } = this.#options;
    const { session, readOnly } = this.#granted!;
    const openedAt = clock.now();
    const ended = this.#handlers.onOpened(connection, session, readOnly);
    this.#connection = connection;
    const search = readOnly ? this.#seekWritable(connection) : undefined;
    await ended;
    this.#connection = undefined;
    search?.abort();
    if (clock.now() - openedAt < steadyMs) {
      this.#failures++;
    } else {
      this.#failures = 0;
      this.#backoff.reset();
    }
  }

  async #tryServer(server: Server): Promise<Connection | undefined> {
    const { clock, connectTimeoutMs, sessionTimeoutMs } = this.#options;
    const controller = new AbortController();
    const attempt: Attempt = { controller, greeted: false };
    const timeoutMs = this.#credentials?.timeoutMs ?? sessionTimeoutMs;
    const limitMs = connectTimeoutMs ?? patienceMs(timeoutMs, this.#ring.size, this.#unanswered);
    const timer = clock.after(limitMs, () => {
      this.#unanswered++;
      controller.abort(new ConnectionLossError(`${serverName(server)} did not answer within ${limitMs} ms`));
    });
    this.#attempt = attempt;
    try {
      const connection = await this.#handshake.open(server, this.#ticket(attempt), controller.signal);
      this.#refusals = 0;
      this.#unanswered = 0;
      return connection;
    } catch (error) {
      this.#noteFailure(error as ZooKeeperError, attempt);
      return undefined;
    } finally {
      timer.cancel();
      this.#attempt = undefined;
    }
  }

  #ticket(attempt: Attempt): SessionTicket {
    return {
      onlyToClose: this.#stopping,
      connectRequest: (): ConnectRequest => {
        attempt.greeted = true;
        return {
          lastZxidSeen: this.#lastSeen.value,
          timeoutMs: this.#credentials?.timeoutMs ?? this.#options.sessionTimeoutMs,
          sessionId: this.#credentials?.id ?? 0n,
          password: this.#credentials?.password ?? new Uint8Array(16),
          readOnly: this.#options.readOnly,
        };
      },
      greeted: (response, sentAt) => this.#greeted(response, sentAt),
    };
  }

  #greeted(response: ConnectResponse, sentAt: number): void {
    if (response.timeoutMs <= 0) {
      const error = new SessionExpiredError("the server says that the session has expired");
      this.#handlers.onExpired(error);
      throw error;
    }
    const session = { id: response.sessionId, timeoutMs: response.timeoutMs };
    this.#granted = { session, readOnly: response.readOnly };
    // What a read-only server grants is known to no other server: it must not replace a real session.
    if (response.readOnly) return;
    this.#credentials = { ...session, password: response.password };
    this.#handlers.onGranted(sentAt, session);
  }

  #noteFailure(error: ZooKeeperError, attempt: Attempt): void {
    if (error instanceof SessionExpiredError) return;
    this.lastFailure = error;
    if (attempt.greeted && this.#credentials === undefined) this.#noteRefusal();
    this.#handlers.onFailed(error);
  }

  /**
   * A server that is behind what the client has seen closes the connection without a word. For a session to be resumed
   * that is right. But a new session whom every server refuses, again and again, met servers that came back without
   * their data, and never gets in unless it forgets what it saw.
   */
  #noteRefusal(): void {
    this.#refusals++;
    if (this.#refusals < refusedRounds * this.#ring.size) return;
    this.#refusals = 0;
    this.#lastSeen.high = 0;
    this.#lastSeen.low = 0;
  }

  async #rest(): Promise<void> {
    const pause = new AbortController();
    this.#pause = pause;
    // Ending the pause early is no failure.
    await sleep(this.#backoff.next(), { signal: pause.signal, clock: this.#options.clock }).catch(() => {});
    this.#pause = undefined;
  }

  /** While connected to a read-only server: moves to one that takes writes as soon as there is one. */
  #seekWritable(connection: Connection): AbortController {
    const search = new AbortController();
    findWritable(this.#ring, this.#options, search.signal).then(
      (server) => {
        this.#ring.prefer(server);
        connection.destroy(new ConnectionLossError(`left read-only ${connection.server} for ${serverName(server)}`));
      },
      () => {},
    );
    return search;
  }
}

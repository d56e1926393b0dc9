import type { SchemeAuth } from "./auth.js";
import type { Connection } from "./connection.js";
import {
  AuthFailedError,
  ConnectionLossError,
  OperationTimeoutError,
  SessionClosedRequireSaslAuthError,
  SessionExpiredError,
} from "./error-codes.js";
import { BusyError, ClosedError, type ZooKeeperError } from "./errors.js";
import { Alarm } from "./alarm.js";
import { createDeferred, type Deferred } from "../../util/deferred.js";
import { Listeners } from "./listeners.js";
import { rearm, setWatchesAgain } from "./rearm.js";
import { Reconnector, type ReconnectorOptions } from "./reconnector.js";
import { type WatchPaths, Xid } from "./records.js";
import { Request, RequestQueue } from "./request.js";
import { SessionDeadline } from "./session-deadline.js";
import { authOperation, closeSessionOperation } from "./session-operations.js";
import {
  nextState,
  type SessionCredentials,
  type SessionEvent,
  type SessionInfo,
  type SessionState,
} from "./session-state.js";
import { Zxid } from "./stat.js";
import type { WatchRegistry } from "./watches.js";

/** A change of the client's state. */
export interface StateChange {
  readonly state: SessionState;
  readonly previous: SessionState;
  /** With `connected`: whether the session is another than the last one (the first one included). */
  readonly newSession: boolean;
  /** Why, when an error brought it about. */
  readonly reason: ZooKeeperError | undefined;
}

export interface SessionOptions extends ReconnectorOptions {
  readonly maxPending: number;
  readonly closeTimeoutMs: number;
}

/** Given to the event loop to read answers that have already arrived, before requests are declared too late. */
const graceMs = 1;
/** Requests run out together when their deadlines are this close: each time, all that wait are looked at. */
const coarseMs = 5;

/**
 * A session over whatever connections it takes: requests go out on the present connection or wait for the next one,
 * the local deadline is kept, watches are set again, and when the session is lost another is begun.
 */
export class Session {
  readonly #options: SessionOptions;
  readonly #watches: WatchRegistry;
  readonly #listeners = new Listeners<StateChange>();
  readonly #reconnector: Reconnector;
  readonly #deadline: SessionDeadline;
  readonly #requestAlarm: Alarm;
  readonly #lastSeen = new Zxid();
  readonly #openers = new Set<Deferred<void>>();
  #queue = new RequestQueue();
  #connection: Connection | undefined;
  #state: SessionState = { name: "connecting" };
  #announcedId: bigint | undefined;
  #graceGiven = false;
  #closed: Promise<void> | undefined;

  constructor(options: SessionOptions, watches: WatchRegistry) {
    const { clock } = options;
    this.#options = options;
    this.#watches = watches;
    this.#deadline = new SessionDeadline(clock, () =>
      this.#expire(new SessionExpiredError("no server has answered for as long as the session lives")),
    );
    this.#requestAlarm = new Alarm(clock, (now) => this.#timeOutRequests(now));
    this.#reconnector = new Reconnector(options, this.#lastSeen, {
      onGranted: (sentAt, session) => this.#deadline.grant(sentAt, session.timeoutMs),
      onExpired: (error) => this.#expire(error),
      onOpened: (connection, session, readOnly) => this.#use(connection, session, readOnly),
      onFailed: (error) => this.#attemptFailed(error),
    });
  }

  get state(): SessionState {
    return this.#state;
  }

  /** Until when no server can have expired the session, by the clock; minus infinity without a session. */
  get deadline(): number {
    return this.#deadline.time;
  }

  get credentials(): SessionCredentials | undefined {
    return this.#reconnector.credentials;
  }

  /** The present connection, if there is one. */
  get connection(): Connection | undefined {
    return this.#connection;
  }

  onStateChange(listener: (change: StateChange) => void): () => void {
    return this.#listeners.add(listener);
  }

  start(): void {
    this.#reconnector.start();
  }

  /** Resolves once connected; rejects when that takes too long or the servers refuse the credentials. */
  async opened(timeoutMs: number, signal: AbortSignal | undefined): Promise<void> {
    const opener = createDeferred<void>();
    const onAbort = (): void => opener.reject(signal?.reason);
    const timer = this.#options.clock.after(timeoutMs, () => opener.reject(this.#noSession(timeoutMs)));
    signal?.addEventListener("abort", onAbort, { once: true });
    this.#openers.add(opener);
    try {
      await opener.promise;
    } finally {
      timer.cancel();
      signal?.removeEventListener("abort", onAbort);
      this.#openers.delete(opener);
    }
  }

  /** Sends a request, or keeps it until there is a connection; `now` is the clock's time. */
  submit(request: Request, now: number): void {
    if (this.#closed !== undefined) return request.fail(new ClosedError(request.context()));
    const connection = this.#connection;
    const pending = this.#queue.size + (connection === undefined ? 0 : connection.pendingCount);
    if (pending >= this.#options.maxPending) return request.fail(new BusyError(pending, request.context()));
    this.#requestAlarm.atLatest(request.deadline);
    if (connection !== undefined) return connection.send(request, now);
    request.args = request.operation.detach?.(request.args) ?? request.args;
    this.#queue.push(request);
  }

  /** Adds credentials to this and all later connections. */
  async addAuth(auth: SchemeAuth): Promise<void> {
    if (this.#closed !== undefined) throw new ClosedError({ operation: "addAuth" });
    const connection = this.#connection;
    this.#reconnector.addAuth(auth);
    if (connection === undefined) return;
    const args = { scheme: auth.scheme, credentials: Buffer.from(auth.credentials as string) };
    const request = new Request(authOperation, args, undefined, Infinity);
    connection.send(request, this.#options.clock.now(), Xid.auth);
    await request.promise;
  }

  /** Sets watches again that a server was made to forget; without a connection the next one sets them anyway. */
  async setWatchesAgain(paths: WatchPaths): Promise<void> {
    const connection = this.#connection;
    if (connection === undefined) return;
    const now = this.#options.clock.now();
    await setWatchesAgain(connection, this.#watches, paths, this.#lastSeen.value, now);
  }

  /** Ends the session on the server, waiting for a connection to do so for `closeTimeoutMs` at most. */
  close(): Promise<void> {
    this.#closed ??= this.#shutDown();
    return this.#closed;
  }

  async #shutDown(): Promise<void> {
    // The first await is below: `#closed` is set before anything here can lead back to `close`.
    await Promise.resolve();
    for (const request of this.#queue.drain()) request.fail(new ClosedError(request.context()));
    this.#refuseOpeners(new ClosedError());
    this.#watches.clear();
    this.#move({ name: "closed" });
    if (this.#connection !== undefined) this.#closeSession(this.#connection);
    await this.#reconnector.stop(this.#options.closeTimeoutMs);
    this.#connection?.destroy(new ClosedError());
    this.#requestAlarm.cancel();
    this.#deadline.cancel();
  }

  /** Takes a connection into use; resolves when it has ended. */
  #use(connection: Connection, session: SessionInfo, readOnly: boolean): Promise<void> {
    const ended = createDeferred<void>();
    this.#connection = connection;
    connection.attach({
      // A read-only server cannot keep a session alive: only the ensemble that it is cut off from can.
      onAcknowledged: readOnly ? () => {} : (sentAt) => this.#deadline.acknowledge(sentAt),
      onEvent: (event, zxid) => this.#watches.dispatch(event, zxid),
      onClosed: (error) => {
        this.#connection = undefined;
        this.#move({ name: "lost" }, error);
        ended.resolve();
      },
    });
    if (this.#connection === undefined) return ended.promise;
    connection.startHeartbeat(session.timeoutMs);
    if (this.#closed === undefined) this.#resume(connection, session, readOnly);
    else this.#closeSession(connection);
    return ended.promise;
  }

  #resume(connection: Connection, session: SessionInfo, readOnly: boolean): void {
    const now = this.#options.clock.now();
    rearm(connection, this.#watches, this.#lastSeen, now);
    const waiting = this.#queue;
    this.#queue = new RequestQueue();
    for (const request of waiting.drain()) if (!request.settled) connection.send(request, now);
    for (const opener of this.#openers) opener.resolve();
    this.#openers.clear();
    this.#move({ name: "opened", session, server: connection.server, readOnly });
  }

  #closeSession(connection: Connection): void {
    const request = new Request(closeSessionOperation, undefined, undefined, Infinity);
    connection.send(request, this.#options.clock.now());
    request.promise
      // A refusal is an answer too: a server that wants an authentication it did not get will not end the session.
      .catch((error: unknown) => {
        if (error instanceof ConnectionLossError) throw error;
      })
      .then(
        () => {
          this.#reconnector.forgetSession();
          connection.destroy(new ClosedError());
        },
        // The next connection, if there is one in time, tries again.
        () => {},
      );
  }

  /** The session is over: everything that needs it fails, and the next one is begun. */
  #expire(reason: SessionExpiredError): void {
    this.#deadline.cancel();
    this.#reconnector.forgetSession();
    this.#move({ name: "expired" }, reason);
    this.#reconnector.abortAttempt(reason);
    this.#connection?.destroy(reason);
    const waiting = this.#queue.drain();
    for (const request of waiting) {
      if (request.operation.needsSession?.(request.args) !== true) this.#queue.push(request);
      else request.fail(new SessionExpiredError("the session expired before it was sent", request.context()));
    }
    this.#move({ name: "renewed" });
  }

  #attemptFailed(error: ZooKeeperError): void {
    if (!(error instanceof AuthFailedError || error instanceof SessionClosedRequireSaslAuthError)) return;
    // Waiting does not help them; the attempts go on, for credentials that come back with the next one.
    for (const request of this.#queue.drain()) {
      request.fail(new AuthFailedError(error.message, { ...request.context(), cause: error }));
    }
    this.#refuseOpeners(error);
  }

  #noSession(timeoutMs: number): OperationTimeoutError {
    const cause = this.#reconnector.lastFailure;
    const why = cause === undefined ? "no server answered" : cause.message;
    return new OperationTimeoutError(`no session within ${timeoutMs} ms: ${why}`, {
      operation: "connect",
      cause,
      sent: false,
    });
  }

  #refuseOpeners(error: ZooKeeperError): void {
    for (const opener of this.#openers) opener.reject(error);
    this.#openers.clear();
  }

  #timeOutRequests(now: number): number | undefined {
    let next = Number.POSITIVE_INFINITY;
    const due: Request[] = [];
    for (const head of [this.#queue.head, this.#connection?.pendingHead]) {
      for (let request = head; request !== undefined; request = request.next) {
        if (request.settled) continue;
        if (request.deadline > now) next = Math.min(next, request.deadline);
        else due.push(request);
      }
    }
    if (due.length > 0 && !this.#graceGiven) {
      this.#graceGiven = true;
      this.#connection?.hurry(now);
      return now + graceMs;
    }
    this.#graceGiven = false;
    for (const request of due) request.timeOut(this.#reconnector.lastFailure);
    // Those that were sent stay in line for their answers; those that were not are forgotten, aborted ones too.
    for (const request of this.#queue.drain()) if (!request.settled) this.#queue.push(request);
    return next === Number.POSITIVE_INFINITY ? undefined : Math.max(next, now + coarseMs);
  }

  #move(event: SessionEvent, reason?: ZooKeeperError): void {
    const previous = this.#state;
    const state = nextState(previous, event);
    if (state === previous) return;
    this.#state = state;
    let newSession = false;
    if (state.name === "connected") {
      newSession = state.session.id !== this.#announcedId;
      this.#announcedId = state.session.id;
    }
    this.#listeners.call({ state, previous, newSession, reason });
  }
}

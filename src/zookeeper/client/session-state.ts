/** What a session is known by. */
export interface SessionInfo {
  readonly id: bigint;
  /** How long the servers keep it without a sign of life, in milliseconds, as they granted it. */
  readonly timeoutMs: number;
}

/** What makes a connection part of a session: whoever has it can take the session over, and end it. */
export interface SessionCredentials {
  readonly id: bigint;
  readonly password: Uint8Array;
}

/**
 * Where a client stands.
 *
 * - `connecting`: no session yet, or none any more; requests wait.
 * - `connected`: requests are answered. A `readOnly` server is cut off from its ensemble and refuses writes.
 * - `suspended`: the connection is lost, the session may still be alive; requests wait.
 * - `expired`: the session is over, by the server's word or because its time ran out unheard. Its ephemeral nodes are
 *   gone or going. A new session is started at once: the next state is `connecting`.
 * - `closed`: for good.
 */
export type SessionState =
  | { readonly name: "connecting" }
  | { readonly name: "connected"; readonly session: SessionInfo; readonly server: string; readonly readOnly: boolean }
  | { readonly name: "suspended"; readonly session: SessionInfo }
  | { readonly name: "expired"; readonly session: SessionInfo }
  | { readonly name: "closed" };

/** What can happen to a session. */
export type SessionEvent =
  | { readonly name: "opened"; readonly session: SessionInfo; readonly server: string; readonly readOnly: boolean }
  | { readonly name: "lost" }
  | { readonly name: "expired" }
  | { readonly name: "renewed" }
  | { readonly name: "closed" };

/** The state after an event; the same object when the event changes nothing. */
export function nextState(state: SessionState, event: SessionEvent): SessionState {
  if (state.name === "closed") return state;
  switch (event.name) {
    case "opened":
      return { name: "connected", session: event.session, server: event.server, readOnly: event.readOnly };
    case "lost":
      if (state.name !== "connected") return state;
      // What a read-only server calls a session exists nowhere else.
      return state.readOnly ? { name: "connecting" } : { name: "suspended", session: state.session };
    case "expired":
      return state.name === "connected" || state.name === "suspended"
        ? { name: "expired", session: state.session }
        : state;
    case "renewed":
      return state.name === "expired" ? { name: "connecting" } : state;
    default:
      return { name: "closed" };
  }
}

/** Credentials that go to the server in one packet, for example `digest` with `user:password`. */
export interface SchemeAuth {
  readonly scheme: string;
  readonly credentials: string | Uint8Array;
}

/** One authentication of one connection. */
export interface SaslExchange {
  /** What to send first; empty for mechanisms where the server begins, such as DIGEST-MD5. */
  initial(): Uint8Array | Promise<Uint8Array>;
  /** The answer to what the server sent; undefined when the exchange is over. Throws when the server proves false. */
  respond(challenge: Buffer): Uint8Array | undefined | Promise<Uint8Array | undefined>;
}

/** A SASL mechanism: `start` is called for each connection, so that credentials may change between them. */
export interface SaslAuth {
  readonly sasl: {
    start(server: { readonly host: string }): SaslExchange | Promise<SaslExchange>;
  };
}

/** One way to authenticate a connection; all of a client's are used on each of its connections. */
export type Auth = SchemeAuth | SaslAuth;

/** The `digest` scheme: for ACL entries made with `digestId(user, password)`, or of the scheme `auth`. */
export function digestAuth(user: string, password: string): SchemeAuth {
  return { scheme: "digest", credentials: `${user}:${password}` };
}

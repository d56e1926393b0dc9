/** Headers of a call that are the caller's, not gRPC's own; their names are in lower case. */
export type Metadata = Readonly<Record<string, string>>;

/** What a call carries besides its message: the token, and whether the member must see a leader. */
export interface CallMetadata {
  /** For calls that a member cut off from its cluster must refuse, at once, rather than hang on. */
  readonly withLeader: Metadata;
  readonly plain: Metadata;
}

/** Metadata of calls without a token. */
export const anonymous: CallMetadata = metadataOf(undefined);

function metadataOf(token: string | undefined): CallMetadata {
  const plain: Metadata = token === undefined ? {} : { token };
  return { withLeader: { ...plain, hasleader: "true" }, plain };
}

/**
 * The token of one user, asked for when first needed and again when the server stops taking it: tokens end five minutes
 * after their last use, and all at once when a server restarts. One request serves every call that waits for it; it
 * carries no token itself, so it can wait for nothing here.
 */
export class TokenSource {
  readonly #authenticate: () => Promise<string | undefined>;
  #current: CallMetadata | undefined;
  #asking: Promise<CallMetadata> | undefined;

  /** `authenticate` gives a token, or `undefined` where the server has authentication switched off. */
  constructor(authenticate: () => Promise<string | undefined>) {
    this.#authenticate = authenticate;
  }

  /** The metadata to send, when it is there. */
  get current(): CallMetadata | undefined {
    return this.#current;
  }

  /** The metadata to send. Rejects when the server refuses the user or cannot be reached. */
  obtain(): Promise<CallMetadata> {
    if (this.#current !== undefined) return Promise.resolve(this.#current);
    this.#asking ??= this.#ask().finally(() => {
      this.#asking = undefined;
    });
    return this.#asking;
  }

  /** The server did not take this metadata's token. Of no effect when another is in use since. */
  invalidate(stale: CallMetadata): void {
    if (this.#current === stale) this.#current = undefined;
  }

  async #ask(): Promise<CallMetadata> {
    const token = await this.#authenticate();
    this.#current = metadataOf(token);
    return this.#current;
  }
}

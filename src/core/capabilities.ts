/**
 * What a backend can and cannot do, for programs to ask and for the compatibility table. Everything that is not named
 * here is the same on every backend.
 */
export interface Capabilities {
  readonly backend: string;
  readonly keys: {
    /** What the backend refuses beyond the common rules, each a phrase for people; `NOT_SUPPORTED` before sending. */
    readonly refuses: readonly string[];
    /**
     * Whether a key and keys below it may coexist: `always`, `never`, or `not-below-ephemeral`, that is not below a key
     * that has a ttl or is a held lock.
     */
    readonly withChildren: "always" | "not-below-ephemeral" | "never";
  };
  readonly values: {
    /** The largest value in bytes, as the caller gives it; beyond it `VALUE_TOO_LARGE`. */
    readonly maxBytes: number;
    /** `utf-8`: values that are not UTF-8 are `NOT_SUPPORTED`. */
    readonly content: "bytes" | "utf-8";
  };
  readonly ttl: {
    /** A shorter `ttlMs` is raised to this. */
    readonly minimumMs: number;
    /** A longer one is `INVALID_ARGUMENT`. */
    readonly maximumMs: number;
    /** `ttlMs` is rounded up to a multiple of this. */
    readonly granularityMs: number;
    /** Whether the key stays its whole ttl when its writer goes away earlier. */
    readonly outlivesWriter: boolean;
    /** How much longer than its ttl a key may stay when its writer is gone, as a factor: 1 is on time. */
    readonly lateByFactor: number;
    /**
     * Whether the renewals of a `keepAlive` key leave its revision alone; otherwise each gives it a new one, unseen by
     * watches, and a compare-and-set with a pair that was read before it is refused.
     */
    readonly renewalKeepsRevision: boolean;
  };
  /** `latest-state`: the backend itself may skip states between two that a watcher sees. */
  readonly watch: "every-change" | "latest-state";
  /** `version`: deletes by other programs, followed by as many writes, can fool a compare-and-set. */
  readonly compareAndSet: "revision" | "version";
  /** `chunked`: other clients can see the tree half deleted. */
  readonly deleteTree: "atomic" | "chunked";
  readonly list: {
    /** Whether a list is the state of one moment. */
    readonly snapshot: boolean;
  };
  readonly scan: {
    /** Whether the pages of a scan show the state of one moment. */
    readonly snapshot: boolean;
    /** Whether the server sends pages; otherwise the whole tree is in memory once. */
    readonly boundedMemory: boolean;
  };
  readonly atomic: {
    /** How many checks, puts and deletes one `atomic()` may hold. */
    readonly maxOperations: number;
    /** Whether they may be about several keys; otherwise `NOT_SUPPORTED`. */
    readonly acrossKeys: boolean;
  };
  readonly lock: {
    /** Whether waiters get the lock in the order they came. */
    readonly fair: boolean;
  };
}

import type { JuteReader } from "./codec.js";

/** Two halves as they came off the wire, joined only when somebody asks: making a bigint costs more than reading it. */
function join(high: number, low: number): bigint {
  return (BigInt(high) << 32n) | BigInt(low >>> 0);
}

/** What a server tells about a node (`org.apache.zookeeper.data.Stat`). */
export class Stat {
  readonly #czxidHigh: number;
  readonly #czxidLow: number;
  readonly #mzxidHigh: number;
  readonly #mzxidLow: number;
  readonly #ctimeHigh: number;
  readonly #ctimeLow: number;
  readonly #mtimeHigh: number;
  readonly #mtimeLow: number;
  /** Changes of the data since the node was created. */
  readonly version: number;
  /** Changes of the list of children. */
  readonly cversion: number;
  /** Changes of the ACL. */
  readonly aversion: number;
  readonly #ownerHigh: number;
  readonly #ownerLow: number;
  /** Bytes of data; 0 for null too. */
  readonly dataLength: number;
  readonly numChildren: number;
  readonly #pzxidHigh: number;
  readonly #pzxidLow: number;

  constructor(reader: JuteReader) {
    this.#czxidHigh = reader.int();
    this.#czxidLow = reader.int();
    this.#mzxidHigh = reader.int();
    this.#mzxidLow = reader.int();
    this.#ctimeHigh = reader.int();
    this.#ctimeLow = reader.int();
    this.#mtimeHigh = reader.int();
    this.#mtimeLow = reader.int();
    this.version = reader.int();
    this.cversion = reader.int();
    this.aversion = reader.int();
    this.#ownerHigh = reader.int();
    this.#ownerLow = reader.int();
    this.dataLength = reader.int();
    this.numChildren = reader.int();
    this.#pzxidHigh = reader.int();
    this.#pzxidLow = reader.int();
  }

  /** The transaction that created the node. */
  get czxid(): bigint {
    return join(this.#czxidHigh, this.#czxidLow);
  }

  /** The transaction that last changed the data. */
  get mzxid(): bigint {
    return join(this.#mzxidHigh, this.#mzxidLow);
  }

  /** The transaction that last changed the list of children. */
  get pzxid(): bigint {
    return join(this.#pzxidHigh, this.#pzxidLow);
  }

  /** When the node was created, in milliseconds since the epoch by the leader's clock. */
  get ctime(): number {
    return this.#ctimeHigh * 2 ** 32 + (this.#ctimeLow >>> 0);
  }

  /** When the data last changed, in milliseconds since the epoch by the leader's clock. */
  get mtime(): number {
    return this.#mtimeHigh * 2 ** 32 + (this.#mtimeLow >>> 0);
  }

  /** The session that owns the node, 0n when it is not ephemeral. */
  get ephemeralOwner(): bigint {
    return join(this.#ownerHigh, this.#ownerLow);
  }

  /**
   * Whether the node ends with a session. Containers and nodes with a TTL have an owner too, one that no session has
   * (`EphemeralType`, ZooKeeper 3.9: the lowest number, and a first byte of 0xff).
   */
  get isEphemeral(): boolean {
    const high = this.#ownerHigh;
    if (high === 0 && this.#ownerLow === 0) return false;
    return high >>> 24 !== 0xff && !(high === -0x80000000 && this.#ownerLow === 0);
  }
}

/** The number of a transaction, kept as the wire's two halves until it is asked for. */
export class Zxid {
  high = 0;
  low = 0;

  /** Takes the larger of its own value and the one given. */
  raise(high: number, low: number): void {
    if (high > this.high || (high === this.high && low >>> 0 > this.low >>> 0)) {
      this.high = high;
      this.low = low;
    }
  }

  get value(): bigint {
    return join(this.high, this.low);
  }
}

/** What every answer carries. */
export class Reply {
  readonly #zxidHigh: number;
  readonly #zxidLow: number;

  constructor(zxid: Zxid) {
    this.#zxidHigh = zxid.high;
    this.#zxidLow = zxid.low;
  }

  /** For a write, its own transaction; for a read, the last transaction the answering server had applied. */
  get zxid(): bigint {
    return join(this.#zxidHigh, this.#zxidLow);
  }
}

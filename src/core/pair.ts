import { decodeUtf8, pooledCopy } from "../util/bytes.js";

/** A key, its value and the revision that wrote it. */
export class KVPair {
  /** The canonical form of the key. */
  readonly key: string;
  /** The bytes of the value; they are yours to change. */
  readonly value: Uint8Array;
  /** Opaque; grows with each write within one life of the server's data. */
  readonly revision: bigint;
  /** What `ttlMs` took effect, in milliseconds, on the pair that a put with a ttl gave; it may be more than was asked for. */
  readonly ttlMs: number | undefined;

  constructor(key: string, value: Uint8Array, revision: bigint, ttlMs?: number) {
    this.key = key;
    this.value = value;
    this.revision = revision;
    this.ttlMs = ttlMs;
  }

  /** The value as text, a byte order mark kept. Throws a `TypeError` when it is not UTF-8. */
  text(): string {
    return decodeUtf8(this.value);
  }

  /** The value parsed as JSON. Throws a `TypeError` when it is not UTF-8 and a `SyntaxError` when it is not JSON. */
  json(): unknown {
    return JSON.parse(this.text());
  }

  /** The same pair with bytes of its own. */
  copy(): KVPair {
    return new KVPair(this.key, pooledCopy(this.value), this.revision, this.ttlMs);
  }

  /** For `JSON.stringify`: the revision as a string; the value as text, or as `base64` where it is not UTF-8. */
  toJSON(): { key: string; value?: string; base64?: string; revision: string; ttlMs?: number } {
    const rest = { revision: this.revision.toString(), ...(this.ttlMs === undefined ? {} : { ttlMs: this.ttlMs }) };
    try {
      return { key: this.key, value: this.text(), ...rest };
    } catch {
      return { key: this.key, base64: Buffer.from(this.value).toString("base64"), ...rest };
    }
  }
}

import { Buffer } from "node:buffer";

/** A message travels behind a byte that says whether it is compressed, and four with its length, the largest first. */
const prefixBytes = 5;

/** A message as it travels. Source: grpc/doc/PROTOCOL-HTTP2.md, "Length-Prefixed-Message". */
export function framed(message: Uint8Array): Buffer {
  const frame = Buffer.allocUnsafe(prefixBytes + message.length);
  frame[0] = 0;
  frame.writeUInt32BE(message.length, 1);
  frame.set(message, prefixBytes);
  return frame;
}

/**
 * The one message of an answer, a view of what was received. Throws an `Error` when there is not one whole message.
 */
export function messageIn(chunks: readonly Buffer[]): Uint8Array {
  const all = joined(chunks);
  const size = messageSize(all, 0);
  if (size === undefined || size > all.length) throw new Error("the answer ended within its message");
  if (size < all.length) throw new Error("the answer goes on after its message");
  return view(all, prefixBytes, size);
}

/** The messages of a stream, one after the other, from the pieces in which they come. */
export class MessageReader {
  #bytes: Buffer = Buffer.alloc(0);
  /** Where the next message begins in `#bytes`. */
  #at = 0;
  #later: Buffer[] = [];
  #laterBytes = 0;
  /** What the next message takes, its prefix included; 0 while that is unknown. */
  #wanted = 0;

  push(chunk: Buffer): void {
    this.#later.push(chunk);
    this.#laterBytes += chunk.length;
  }

  /** The next message that is here whole, a view of what was received. Throws an `Error` on one that is compressed. */
  next(): Uint8Array | undefined {
    // The pieces of a large message are put together once, when the last of them is here.
    if (this.#bytes.length - this.#at + this.#laterBytes < Math.max(this.#wanted, prefixBytes)) return undefined;
    if (this.#laterBytes > 0) this.#takeLater();
    this.#wanted = messageSize(this.#bytes, this.#at)!;
    if (this.#bytes.length - this.#at < this.#wanted) return undefined;
    const start = this.#at + prefixBytes;
    this.#at += this.#wanted;
    this.#wanted = 0;
    return view(this.#bytes, start, this.#at);
  }

  #takeLater(): void {
    const left = this.#at < this.#bytes.length ? [this.#bytes.subarray(this.#at)] : [];
    this.#bytes = joined([...left, ...this.#later]);
    this.#at = 0;
    this.#later = [];
    this.#laterBytes = 0;
  }
}

function joined(chunks: readonly Buffer[]): Buffer {
  return chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks);
}

/** What the message that begins here takes, its prefix included; `undefined` while there is too little to tell. */
function messageSize(bytes: Buffer, at: number): number | undefined {
  if (bytes.length - at < prefixBytes) return undefined;
  if (bytes[at] !== 0) throw new Error("the server sent a compressed message, which it was not asked for");
  return prefixBytes + bytes.readUInt32BE(at + 1);
}

function view(bytes: Buffer, start: number, end: number): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset + start, end - start);
}

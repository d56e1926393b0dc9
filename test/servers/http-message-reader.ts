/** What a reader of HTTP/1.1 messages reports. */
export interface HttpMessageEvents {
  /** A message's first line. The answer tells whether it has the body its headers declare, or none whatever they say. */
  onHead(startLine: string): "as-declared" | "none";
  /** The message is complete. */
  onEnd(): void;
}

/**
 * Finds the ends of HTTP/1.1 messages in one direction of a connection (RFC 9112, section 6): bodies by content-length
 * or in chunks. A body that only the end of the connection ends is not used by the servers tested here.
 */
export class HttpMessageReader {
  readonly #events: HttpMessageEvents;
  /** Text of the head or chunk-size line that is being collected. */
  #line = "";
  #reading: "head" | "body" | "chunk-size" | "chunk" | "trailers" = "head";
  #toSkip = 0;

  constructor(events: HttpMessageEvents) {
    this.#events = events;
  }

  push(chunk: Buffer): void {
    let at = 0;
    while (at < chunk.length) {
      if (this.#reading === "body" || this.#reading === "chunk") {
        const skipped = Math.min(this.#toSkip, chunk.length - at);
        this.#toSkip -= skipped;
        at += skipped;
        if (this.#toSkip === 0) this.#bodyEnded();
        continue;
      }
      this.#line += String.fromCharCode(chunk[at++]!);
      this.#lineGrew();
    }
  }

  #lineGrew(): void {
    if (this.#reading === "chunk-size") {
      if (!this.#line.endsWith("\r\n")) return;
      const size = Number.parseInt(this.#line, 16);
      this.#line = size === 0 ? "\r\n" : "";
      this.#reading = size === 0 ? "trailers" : "chunk";
      this.#toSkip = size + 2;
    } else if (this.#line.endsWith("\r\n\r\n")) {
      const head = this.#line;
      this.#line = "";
      if (this.#reading === "trailers") this.#messageEnded();
      else this.#headEnded(head);
    }
  }

  #headEnded(head: string): void {
    const body = this.#events.onHead(head.slice(0, head.indexOf("\r\n")));
    const length = Number(/\r\ncontent-length: *(\d+)/i.exec(head)?.[1] ?? 0);
    if (body === "as-declared" && /\r\ntransfer-encoding:[^\r]*chunked/i.test(head)) {
      this.#reading = "chunk-size";
    } else if (body === "as-declared" && length > 0) {
      this.#reading = "body";
      this.#toSkip = length;
    } else {
      this.#messageEnded();
    }
  }

  #bodyEnded(): void {
    if (this.#reading === "chunk") this.#reading = "chunk-size";
    else this.#messageEnded();
  }

  #messageEnded(): void {
    this.#reading = "head";
    this.#events.onEnd();
  }
}

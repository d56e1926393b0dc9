import type { Socket } from "node:net";

/** What happens to bytes of one direction: passed on; not even read; or read, and kept until the gate opens. */
export type Gate = "open" | "stalled" | "held";

/** One direction of a proxied connection: what `source` sends goes to `sink`, in order. */
export class ProxyPipe {
  readonly #source: Socket;
  readonly #sink: Socket;
  /** What came in and is not passed on yet; the end of the stream is an entry like the others. */
  readonly #waiting: { bytes: Buffer | "end"; dueAt: number }[] = [];
  #gate: Gate = "open";
  #delayMs = 0;
  #sinkIsFull = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(source: Socket, sink: Socket, onBytes: (bytes: Buffer) => void) {
    this.#source = source;
    this.#sink = sink;
    source.on("data", (bytes: Buffer) => {
      onBytes(bytes);
      this.#enter(bytes);
    });
    source.on("end", () => this.#enter("end"));
    sink.on("drain", () => {
      this.#sinkIsFull = false;
      this.#update();
    });
    sink.on("close", () => clearTimeout(this.#timer));
  }

  set gate(gate: Gate) {
    this.#gate = gate;
    this.#update();
  }

  /** How long bytes that come in from now on wait, in milliseconds. None overtakes those before it. */
  set delayMs(delayMs: number) {
    this.#delayMs = delayMs;
  }

  #enter(bytes: Buffer | "end"): void {
    const earliest = this.#waiting.at(-1)?.dueAt ?? 0;
    this.#waiting.push({ bytes, dueAt: Math.max(earliest, performance.now() + this.#delayMs) });
    this.#update();
  }

  /** Passes on what may go now, and reads on or stops reading. */
  #update(): void {
    clearTimeout(this.#timer);
    while (this.#gate === "open" && !this.#sinkIsFull && this.#waiting.length > 0) {
      const waitMs = this.#waiting[0]!.dueAt - performance.now();
      if (waitMs > 0) {
        this.#timer = setTimeout(() => this.#update(), Math.ceil(waitMs));
        break;
      }
      const { bytes } = this.#waiting.shift()!;
      if (bytes === "end") this.#sink.end();
      else this.#sinkIsFull = !this.#sink.write(bytes);
    }
    if (this.#gate === "stalled" || (this.#gate === "open" && this.#sinkIsFull)) this.#source.pause();
    else this.#source.resume();
  }
}

import net from "node:net";

/** One direction of one connection. */
class Flow {
  readonly #from: net.Socket;
  readonly #to: net.Socket;
  readonly #kept: Buffer[] = [];
  held = false;

  constructor(from: net.Socket, to: net.Socket, onBytes: () => void) {
    this.#from = from;
    this.#to = to;
    from.setNoDelay(true);
    from.on("error", () => {});
    from.on("close", () => to.destroy());
    from.on("data", (bytes) => {
      if (this.held) this.#kept.push(bytes);
      else to.write(bytes);
      onBytes();
    });
  }

  release(): void {
    this.held = false;
    for (const bytes of this.#kept.splice(0)) this.#to.write(bytes);
  }

  cut(): void {
    this.#from.destroy();
  }
}

/**
 * A TCP line between the client under test and a server, that can be broken in the ways lines break. What is held back
 * stays in order and goes on its way with `heal`.
 */
export class Link {
  readonly #server: net.Server;
  readonly #requests = new Set<Flow>();
  readonly #replies = new Set<Flow>();
  #onRequest: () => void = () => {};
  #requestsHeld = false;
  #repliesHeld = false;
  #refusing = false;
  /** Connections accepted so far. */
  accepted = 0;

  private constructor(targetPort: number) {
    this.#server = net.createServer((client) => {
      if (this.#refusing) {
        client.destroy();
        return;
      }
      this.accepted += 1;
      const server = net.connect(targetPort, "127.0.0.1");
      const request = new Flow(client, server, () => this.#onRequest());
      const reply = new Flow(server, client, () => {});
      request.held = this.#requestsHeld;
      reply.held = this.#repliesHeld;
      this.#requests.add(request);
      this.#replies.add(reply);
      client.on("close", () => {
        this.#requests.delete(request);
        this.#replies.delete(reply);
      });
    });
  }

  /** A line to a port of this machine. */
  static async to(targetPort: number): Promise<Link> {
    const link = new Link(targetPort);
    await new Promise<void>((resolve) => link.#server.listen(0, "127.0.0.1", resolve));
    return link;
  }

  /** Where to connect instead of to the server. */
  get host(): string {
    return `127.0.0.1:${(this.#server.address() as net.AddressInfo).port}`;
  }

  /** Resolves when the client sends something, whether or not it is passed on. */
  nextRequest(): Promise<void> {
    return new Promise((resolve) => {
      this.#onRequest = resolve;
    });
  }

  /** Breaks every connection; new ones are possible at once. What was held is lost. */
  cut(): void {
    for (const flow of this.#requests) flow.cut();
  }

  /** Breaks every connection, and new ones as soon as they are made, until `heal`. */
  refuse(): void {
    this.#refusing = true;
    this.cut();
  }

  /** Passes nothing on any more in either direction, without a FIN. */
  stall(): void {
    this.#hold(true, true);
  }

  /** Passes requests but no replies. */
  holdReplies(): void {
    this.#hold(false, true);
  }

  heal(): void {
    this.#refusing = false;
    this.#requestsHeld = false;
    this.#repliesHeld = false;
    for (const flow of [...this.#requests, ...this.#replies]) flow.release();
  }

  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.cut();
    await closed;
  }

  #hold(requests: boolean, replies: boolean): void {
    this.#requestsHeld = requests;
    this.#repliesHeld = replies;
    for (const flow of this.#requests) flow.held = requests;
    for (const flow of this.#replies) flow.held = replies;
  }
}

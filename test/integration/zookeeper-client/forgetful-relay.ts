import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";

/** Stands before a server, and when told to accepts a connection of which the server never hears. */
export class ForgetfulRelay {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #forget = false;
  /** How many connections it has forgotten. */
  forgotten = 0;

  private constructor({ hostname, port }: URL) {
    this.#server = createServer((client) => {
      this.#keep(client);
      if (this.#forget) {
        this.#forget = false;
        this.forgotten++;
        client.resume();
        return;
      }
      const upstream = connect(Number(port), hostname);
      this.#keep(upstream);
      client.pipe(upstream).pipe(client);
    });
  }

  static async start(host: string): Promise<ForgetfulRelay> {
    const relay = new ForgetfulRelay(new URL(`tcp://${host}`));
    relay.#server.listen(0, "127.0.0.1");
    await once(relay.#server, "listening");
    return relay;
  }

  get host(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  forgetNext(): void {
    this.#forget = true;
  }

  /** Ends all connections. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  async close(): Promise<void> {
    this.#server.close();
    this.cut();
    await once(this.#server, "close");
  }

  #keep(socket: Socket): void {
    this.#sockets.add(socket);
    // One that is cut may complain of it.
    socket.on("error", () => {});
    socket.on("close", () => this.#sockets.delete(socket));
  }
}

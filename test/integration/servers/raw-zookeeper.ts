import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import net from "node:net";
import tls from "node:tls";
import { createDeferred, type Deferred } from "../../../src/util/deferred.js";
import type { ZooKeeperServer } from "../../servers/index.js";

/** Opcodes of `ZooDefs.OpCode`. */
const op = { create: 1, getData: 4, sasl: 102 };

/** The answer to a request: its error code (0 for success) and what follows the reply header. */
interface Reply {
  error: number;
  body: Buffer;
}

/**
 * Just enough of ZooKeeper's protocol to see that a started server really serves: one session, a create, a read and a
 * login. The tests of the servers must not depend on the client that is tested with them.
 */
export class RawZooKeeper {
  readonly #socket: net.Socket;
  readonly #waiting: Deferred<Buffer>[] = [];
  readonly #ended = createDeferred<never>();
  #received = Buffer.alloc(0);
  #requests = 0;

  private constructor(socket: net.Socket) {
    this.#socket = socket;
    this.#ended.promise.catch(() => undefined);
    socket.on("error", (error) => this.#ended.reject(error));
    socket.on("close", () => this.#ended.reject(new Error("ZooKeeper closed the connection")));
    socket.on("data", (chunk: Buffer) => {
      this.#received = Buffer.concat([this.#received, chunk]);
      while (this.#received.length >= 4 && this.#received.length >= 4 + this.#received.readInt32BE(0)) {
        const end = 4 + this.#received.readInt32BE(0);
        this.#waiting.shift()?.resolve(this.#received.subarray(4, end));
        this.#received = this.#received.subarray(end);
      }
    });
  }

  /** Connects and opens a session of 10 seconds. */
  static async connect(server: ZooKeeperServer, port = server.member.port): Promise<RawZooKeeper> {
    const target = { host: "127.0.0.1", port };
    const socket = server.tls === undefined ? net.connect(target) : tls.connect({ ...target, ...server.tls });
    const client = new RawZooKeeper(socket);
    await Promise.race([once(socket, server.tls === undefined ? "connect" : "secureConnect"), client.#ended.promise]);
    const greeting = Buffer.alloc(44); // version, last zxid, timeout, session id, password of 16 bytes
    greeting.writeInt32BE(10_000, 12);
    greeting.writeInt32BE(16, 24);
    await client.#exchange(greeting);
    return client;
  }

  async create(path: string, data: string): Promise<number> {
    const openToAll = Buffer.concat([int(1), int(31), text("world"), text("anyone")]);
    return (await this.#request(op.create, Buffer.concat([text(path), text(data), openToAll, int(0)]))).error;
  }

  /** The data of a node, or the error code. */
  async getData(path: string): Promise<string | number> {
    const { error, body } = await this.#request(op.getData, Buffer.concat([text(path), Buffer.alloc(1)]));
    return error === 0 ? body.subarray(4, 4 + body.readInt32BE(0)).toString() : error;
  }

  /** Logs in by SASL DIGEST-MD5 (RFC 2831). Rejects, or resolves to a negative number, when the server refuses. */
  async login(user: string, password: string): Promise<number> {
    const { body } = await this.#request(op.sasl, int(0));
    const challenge = body.subarray(4).toString();
    const field = (name: string): string => new RegExp(`${name}="([^"]*)"`).exec(challenge)?.[1] ?? "";
    const [realm, nonce, cnonce] = [field("realm"), field("nonce"), randomBytes(8).toString("hex")];
    const uri = "zookeeper/zk-sasl-md5";
    const secret = Buffer.concat([
      createHash("md5").update(`${user}:${realm}:${password}`).digest(),
      Buffer.from(`:${nonce}:${cnonce}`),
    ]);
    const [ha1, ha2] = [md5(secret), md5(`AUTHENTICATE:${uri}`)];
    const response = md5(`${ha1}:${nonce}:00000001:${cnonce}:auth:${ha2}`);
    const token =
      `charset=utf-8,username="${user}",realm="${realm}",nonce="${nonce}",nc=00000001,cnonce="${cnonce}",` +
      `digest-uri="${uri}",maxbuf=65536,response=${response},qop=auth`;
    return (await this.#request(op.sasl, text(token))).error;
  }

  close(): void {
    this.#socket.destroy();
  }

  async #request(opcode: number, body: Buffer): Promise<Reply> {
    const reply = await this.#exchange(Buffer.concat([int(++this.#requests), int(opcode), body]));
    return { error: reply.readInt32BE(12), body: reply.subarray(16) };
  }

  #exchange(frame: Buffer): Promise<Buffer> {
    const reply = createDeferred<Buffer>();
    this.#waiting.push(reply);
    this.#socket.write(Buffer.concat([int(frame.length), frame]));
    return Promise.race([reply.promise, this.#ended.promise]);
  }
}

function int(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
}

function text(value: string): Buffer {
  return Buffer.concat([int(Buffer.byteLength(value)), Buffer.from(value)]);
}

function md5(value: string | Buffer): string {
  return createHash("md5").update(value).digest("hex");
}

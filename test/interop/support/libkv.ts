import { expect } from "vitest";
import { OracleProcess } from "./go.js";

/** What the oracle answers to a call of libkv's store. */
export interface LibkvAnswer {
  pairs?: { key: string; value: string; index: string }[];
  exists?: boolean;
  held?: boolean;
  error?: string;
}

/** One of docker/libkv's stores, in a Go process of its own. */
export class Libkv {
  readonly #process: OracleProcess;

  private constructor(process: OracleProcess) {
    this.#process = process;
  }

  /** With the oracle's flags, and last the file or the addresses: `-backend=etcd`, `host:port`. */
  static async open(...args: string[]): Promise<Libkv> {
    return new Libkv(await OracleProcess.start(["libkv", ...args]));
  }

  async call(
    call: string,
    key: string,
    more: { value?: string; previous?: string; ttl?: number } = {},
  ): Promise<LibkvAnswer> {
    const value = Buffer.from(more.value ?? "").toString("hex");
    return (await this.#process.call({ call, key, ...more, value })) as LibkvAnswer;
  }

  /** A call that must not fail. */
  async ok(...args: Parameters<Libkv["call"]>): Promise<LibkvAnswer> {
    const answer = await this.call(...args);
    expect(answer.error).toBeUndefined();
    return answer;
  }

  async put(key: string, value: string): Promise<void> {
    await this.ok("put", key, { value });
  }

  /** `key=value` of each, in the order in which libkv gives them. */
  async list(directory: string): Promise<string[]> {
    const { pairs = [] } = await this.ok("list", directory);
    return pairs.map(({ key, value }) => `${key}=${textOf(value)}`);
  }

  /** The values that a watch begun by `call("watch", key)` has shown so far. */
  async seen(key: string): Promise<string[]> {
    const { pairs = [] } = await this.ok("seen", key);
    return pairs.map(({ value }) => textOf(value));
  }

  kill(): Promise<void> {
    return this.#process.kill();
  }

  end(): Promise<number | null> {
    return this.#process.end();
  }
}

function textOf(hex: string): string {
  return Buffer.from(hex, "hex").toString();
}

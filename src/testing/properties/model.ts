import { isBelow } from "../../core/keys.js";
import { byBytes } from "../assertions.js";

/** One write that a model remembers. */
interface Entry {
  readonly hex: string;
  /** Grows with every write, as a revision does. */
  readonly version: number;
}

/** What a store should hold, as a plain map: slow, and plain enough to be believed. */
export class Model {
  readonly #entries = new Map<string, Entry>();
  #version = 0;

  put(key: string, value: Uint8Array): number {
    this.#entries.set(key, { hex: toHex(value), version: ++this.#version });
    return this.#version;
  }

  get(key: string): string | undefined {
    return this.#entries.get(key)?.hex;
  }

  /** Of the write that the key holds; `undefined` when absent. */
  version(key: string): number | undefined {
    return this.#entries.get(key)?.version;
  }

  delete(key: string): boolean {
    return this.#entries.delete(key);
  }

  deleteTree(directory: string): number {
    const below = this.keys(directory);
    for (const key of below) this.#entries.delete(key);
    return below.length;
  }

  keys(directory: string): string[] {
    return [...this.#entries.keys()].filter((key) => isBelow(key, directory)).sort(byBytes);
  }

  /** As `keys` of a store with a depth: what is deeper stands as its directory, with a slash. */
  keysToDepth(directory: string, depth: number): string[] {
    const above = directory === "" ? 0 : directory.split("/").length;
    const named = this.keys(directory).map((key) => {
      const segments = key.split("/");
      return segments.length <= above + depth ? key : `${segments.slice(0, above + depth).join("/")}/`;
    });
    return [...new Set(named)].sort(byBytes);
  }

  list(directory: string): string[] {
    return this.keys(directory).map((key) => `${key}=${this.get(key)}`);
  }
}

export function toHex(value: Uint8Array): string {
  return Buffer.from(value).toString("hex");
}

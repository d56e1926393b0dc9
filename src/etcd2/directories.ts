import type { Request } from "../core/driver.js";
import type { Clock } from "../util/clock.js";
import { sleep } from "../util/sleep.js";
import type { Etcd2Client } from "./client/client.js";
import { hasCode } from "./client/errors.js";
import type { EtcdNode } from "./client/messages.js";

/** How long the right to clear a directory lasts when its holder is no longer heard of, in seconds. */
const rightTtl = 15;
/** How long taking it may take, and how long its holder uses it at most, in milliseconds: together less than the ttl. */
const useMs = 5_000;
/** How long to wait for another who has it, in milliseconds. */
const pauseMs = 20;

/**
 * The directories that etcd makes for keys and leaves behind when the keys go: no key can be put where one stands. They
 * are removed when a key is to stand there.
 *
 * The server has no request that removes a directory and nothing else: `DELETE ?dir=true` also removes a key that another
 * client has put there a moment ago (checked on 3.3 and 3.4), the lock of a contender that was faster among them. So
 * whoever removes directories takes a right to it, a hidden key beside them, and looks again once it has it.
 */
export class Directories {
  readonly #client: Etcd2Client;
  readonly #clock: Clock;

  constructor(client: Etcd2Client, clock: Clock) {
    this.#client = client;
    this.#clock = clock;
  }

  /** Makes room for a key where a directory stands; `false` when there are keys in it. */
  async clear(path: string, request: Request): Promise<boolean> {
    // Clears of a directory and of those within it must not meet, whatever the prefixes of the stores are: so there is
    // one right for each directory of etcd's root, and it stands in the root.
    const top = path.split("/")[1]!;
    const right = `/_kvasir-clear-${Buffer.from(top).toString("base64url")}`;
    const index = await this.#take(right, request);
    try {
      return await this.#removeEmpty(path, { ...request, deadline: this.#until(request) });
    } finally {
      const giveBack = { deadline: this.#clock.now() + useMs };
      await this.#client.delete(right, { prevIndex: index }, giveBack).catch(() => {});
    }
  }

  async #take(right: string, request: Request): Promise<bigint> {
    for (;;) {
      try {
        const query = { prevExist: false, ttl: rightTtl };
        const { index } = await this.#client.put(right, "", query, { ...request, deadline: this.#until(request) });
        return BigInt(index);
      } catch (error) {
        if (!hasCode(error, "keyExists")) throw error;
        await sleep(pauseMs, { clock: this.#clock, signal: request.signal });
      }
    }
  }

  #until({ deadline }: Request): number {
    return Math.min(deadline, this.#clock.now() + useMs);
  }

  /** Whether there is no directory now. */
  async #removeEmpty(path: string, request: Request): Promise<boolean> {
    try {
      const { node } = await this.#client.get(path, { quorum: true, recursive: true }, request);
      if (node.dir !== true) return true;
      if (hasKeys(node)) return false;
      // Deepest first: the server refuses each that has something in it by now.
      for (const each of directoriesOf(node)) await this.#client.delete(each, { dir: true }, request);
      return true;
    } catch (error) {
      if (hasCode(error, "keyNotFound")) return true;
      if (hasCode(error, "directoryNotEmpty")) return false;
      throw error;
    }
  }
}

function hasKeys(directory: EtcdNode): boolean {
  return (directory.nodes ?? []).some((node) => node.dir !== true || hasKeys(node));
}

/** This directory and those below it, deepest first. */
function directoriesOf(directory: EtcdNode): string[] {
  return [...(directory.nodes ?? []).flatMap(directoriesOf), directory.key!];
}

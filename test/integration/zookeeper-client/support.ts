import {
  connect,
  type StateChange,
  type WatchEvent,
  type ZooKeeperClient,
} from "../../../src/zookeeper/client/index.js";
import type { ClientOptions } from "../../../src/zookeeper/client/index.js";

export const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

let lastNumber = 0;

/** A path of the test's own. */
export const freshPath = (): string => `/test-${process.pid}-${++lastNumber}`;

/** Runs with a client and closes it. */
export async function withClient(
  options: ClientOptions,
  run: (client: ZooKeeperClient) => Promise<void>,
): Promise<void> {
  const client = await connect(options);
  try {
    await run(client);
  } finally {
    await client.close();
  }
}

/** The error that a call rejects with; fails when it resolves. */
export async function failureOf(call: Promise<unknown>): Promise<unknown> {
  return call.then(
    () => {
      throw new Error("the call was expected to reject");
    },
    (error: unknown) => error,
  );
}

/** The next change of state to one of that name. */
export function nextState(client: ZooKeeperClient, name: StateChange["state"]["name"]): Promise<StateChange> {
  return new Promise((resolve) => {
    const stop = client.onStateChange((change) => {
      if (change.state.name !== name) return;
      stop();
      resolve(change);
    });
  });
}

/** Events as they come, to be awaited one after the other. */
export class EventLog {
  readonly seen: WatchEvent[] = [];
  #waiting: (() => void) | undefined;
  #read = 0;

  readonly watcher = (event: WatchEvent): void => {
    this.seen.push(event);
    this.#waiting?.();
  };

  /** The next event not yet read, as "type path". */
  async next(): Promise<string> {
    if (this.#read === this.seen.length) {
      await new Promise<void>((resolve) => {
        this.#waiting = resolve;
      });
    }
    const { type, path } = this.seen[this.#read++]!;
    return `${type} ${path}`;
  }
}

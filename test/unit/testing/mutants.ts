import type {
  Acquired,
  Committed,
  Contender,
  LeasedPair,
  ListPage,
  ListQuery,
  PutOperation,
  ReadAnswer,
  ReadOperation,
  Request,
  Transaction,
  Upstream,
  WatchScope,
  WatchSink,
  WriteAnswer,
  WriteOperation,
} from "../../../src/core/driver.js";
import { KVPair } from "../../../src/core/pair.js";
import type { Store } from "../../../src/core/store.js";
import { ModelDriver } from "./model/driver.js";
import type { ModelFactoryOptions } from "./model/factory.js";

/** A store with one promise broken, and a case that must notice. */
export interface Mutant extends ModelFactoryOptions {
  /** `group: case`, or how it begins. */
  readonly caughtBy: string;
}

/** The store with one method replaced; the replacement gets the good one. */
function method<Name extends keyof Store>(name: Name, replace: (store: Store) => Store[Name]): ModelFactoryOptions {
  return {
    wrap: (store) => {
      Object.defineProperty(store, name, { value: replace(store), configurable: true });
      return store;
    },
  };
}

/** The good method of the class, where an instance has it replaced. */
function original<Name extends keyof Store>(store: Store, name: Name): Store[Name] {
  const good = (Object.getPrototypeOf(store) as Store)[name];
  return (good as Function).bind(store) as Store[Name];
}

class WithoutRevisions extends ModelDriver {
  override async write(operations: readonly WriteOperation[]): Promise<readonly WriteAnswer[]> {
    // Compares values only, so that a recreated key passes for the one that was read.
    const relaxed = operations.map((operation) => {
      if (typeof operation.expected !== "object") return operation;
      const found = this.server.entries.get(operation.key)?.pair;
      return found?.text() === new TextDecoder().decode(operation.expected.value) && found.value.length > 0
        ? { ...operation, expected: { revision: found.revision } }
        : operation;
    });
    return super.write(relaxed);
  }
}

class EmptyIsAbsent extends ModelDriver {
  override async read(operations: readonly ReadOperation[]): Promise<readonly ReadAnswer[]> {
    const answers = await super.read(operations);
    return answers.map((answer) => (answer instanceof KVPair && answer.value.length === 0 ? undefined : answer));
  }
}

class ListsTheDirectory extends ModelDriver {
  override async list(query: ListQuery): Promise<ListPage> {
    const page = await super.list(query);
    const itself = this.server.entries.get(query.directory)?.pair;
    return itself === undefined || query.from !== undefined ? page : { ...page, pairs: [itself.copy(), ...page.pairs] };
  }
}

class ListsSiblings extends ModelDriver {
  override async list(query: ListQuery): Promise<ListPage> {
    const all = await super.list({ ...query, directory: "", limit: undefined });
    const pairs = all.pairs.filter(({ key }) => key.startsWith(query.directory) && key !== query.directory);
    return { pairs: pairs.slice(0, query.limit) };
  }
}

class SortsByUtf16 extends ModelDriver {
  override async list(query: ListQuery): Promise<ListPage> {
    const page = await super.list(query);
    return { ...page, pairs: [...page.pairs].sort((left, right) => (left.key < right.key ? -1 : 1)) };
  }
}

class SharesItsBytes extends ModelDriver {
  override async read(operations: readonly ReadOperation[]): Promise<readonly ReadAnswer[]> {
    await super.read(operations);
    return operations.map(({ type, key }) => {
      const pair = this.server.entries.get(key)?.pair;
      return type === "exists" ? pair !== undefined : pair;
    });
  }
}

class SwapsAnswers extends ModelDriver {
  override async read(operations: readonly ReadOperation[]): Promise<readonly ReadAnswer[]> {
    const answers = await super.read(operations);
    return answers.length > 1 ? answers.toReversed() : answers;
  }
}

class ReadsTooEarly extends ModelDriver {
  #before = new Map<string, KVPair | undefined>();

  override async write(operations: readonly WriteOperation[]): Promise<readonly WriteAnswer[]> {
    for (const { key } of operations) this.#before.set(key, this.server.entries.get(key)?.pair.copy());
    return super.write(operations);
  }

  override async read(operations: readonly ReadOperation[]): Promise<readonly ReadAnswer[]> {
    const answers = await super.read(operations);
    return answers.map((answer, at) => {
      const { type, key } = operations[at]!;
      return type === "get" && this.#before.has(key) ? this.#before.get(key) : answer;
    });
  }
}

class FailsTheBatch extends ModelDriver {
  override async write(operations: readonly WriteOperation[]): Promise<readonly WriteAnswer[]> {
    const answers = await super.write(operations);
    const failed = answers.find((answer) => answer instanceof Error);
    return failed === undefined ? answers : answers.map(() => failed);
  }
}

class WatchMissesDeletes extends ModelDriver {
  override watch(scope: WatchScope, sink: WatchSink): Upstream {
    return super.watch(scope, {
      snapshot: (pairs) => sink.snapshot(pairs),
      changes: (changes) => sink.changes(changes.filter(({ type }) => type === "put")),
      fail: (error) => sink.fail(error),
    });
  }
}

class WatchSeesOneMissesOne extends ModelDriver {
  override watch(scope: WatchScope, sink: WatchSink): Upstream {
    let count = 0;
    return super.watch(scope, {
      snapshot: (pairs) => sink.snapshot(pairs),
      changes: (changes) => {
        if (count++ % 2 === 0) sink.changes(changes);
      },
      fail: (error) => sink.fail(error),
    });
  }
}

class WatchStartsEmpty extends ModelDriver {
  override watch(scope: WatchScope, sink: WatchSink): Upstream {
    return super.watch(scope, {
      snapshot: () => sink.snapshot([]),
      changes: (changes) => sink.changes(changes),
      fail: (error) => sink.fail(error),
    });
  }
}

class TreeWatchSeesSiblings extends ModelDriver {
  override watch(scope: WatchScope, sink: WatchSink): Upstream {
    if (scope.type === "key") return super.watch(scope, sink);
    return super.watch(
      { type: "tree", path: "" },
      {
        snapshot: (pairs) => sink.snapshot(pairs.filter(({ key }) => key.startsWith(scope.path))),
        changes: (changes) => sink.changes(changes),
        fail: (error) => sink.fail(error),
      },
    );
  }
}

class AnyoneLocks extends ModelDriver {
  override async acquire(contender: Contender, request: Request): Promise<Acquired | undefined> {
    this.server.holders.delete(contender.key);
    return super.acquire(contender, request);
  }
}

class SameToken extends ModelDriver {
  override async acquire(contender: Contender, request: Request): Promise<Acquired | undefined> {
    const acquired = await super.acquire(contender, request);
    return acquired && { ...acquired, token: 1n };
  }
}

class LeavesTheLockValue extends ModelDriver {
  override async acquire(contender: Contender, request: Request): Promise<Acquired | undefined> {
    const acquired = await super.acquire(contender, request);
    if (acquired === undefined) return undefined;
    const end = acquired.lease.end.bind(acquired.lease);
    const lease = {
      ...acquired.lease,
      end: async (ending: Request) => {
        await end(ending);
        this.server.put(contender.key, contender.value);
      },
    };
    return { ...acquired, lease };
  }
}

class NeverExpires extends ModelDriver {
  override async putLeased(operation: PutOperation, ttlMs: number): Promise<LeasedPair> {
    const { pair, lease } = await super.putLeased(operation, 1e9);
    return { pair: new KVPair(pair.key, pair.value, pair.revision, ttlMs), lease };
  }
}

class ExpiresEarly extends ModelDriver {
  override async putLeased(operation: PutOperation, ttlMs: number): Promise<LeasedPair> {
    const { pair, lease } = await super.putLeased(operation, ttlMs * 0.5);
    return { pair: new KVPair(pair.key, pair.value, pair.revision, ttlMs), lease };
  }
}

class OverwritesKeepTheTtl extends ModelDriver {
  override async write(operations: readonly WriteOperation[]): Promise<readonly WriteAnswer[]> {
    const leases = operations.map(({ key }) => this.server.entries.get(key)?.lease);
    const answers = await super.write(operations);
    for (const [at, operation] of operations.entries()) {
      const lease = leases[at];
      if (operation.type !== "put" || lease === undefined) continue;
      this.server.put(operation.key, operation.value, this.server.grant(operation.key, lease.ttlMs));
    }
    return answers;
  }
}

class CommitsHalf extends ModelDriver {
  override async commit(transaction: Transaction): Promise<Committed> {
    try {
      return await super.commit(transaction);
    } catch (error) {
      const last = transaction.writes.at(-1);
      if (last?.type === "put") this.server.put(last.key, last.value);
      throw error;
    }
  }
}

class BlamesTheFirstKey extends ModelDriver {
  override async commit(transaction: Transaction): Promise<Committed> {
    const checks = transaction.checks.map((check) => ({ ...check, key: transaction.checks[0]!.key }));
    return super.commit({ ...transaction, checks });
  }
}

class DeletesTheDirectory extends ModelDriver {
  override async deleteTree(directory: string): Promise<number> {
    const count = await super.deleteTree(directory);
    return this.server.delete(directory) ? count + 1 : count;
  }
}

const driver = (Broken: typeof ModelDriver): ModelFactoryOptions => ({ driver: (server) => new Broken(server) });

/** One broken promise each. */
export const mutants: Readonly<Record<string, Mutant>> = {
  "compare-and-set is fooled by delete and recreate": {
    ...driver(WithoutRevisions),
    caughtBy: "atomicPut: is not fooled by delete and recreate",
  },
  "an empty value is absent": { ...driver(EmptyIsAbsent), caughtBy: "values: empty is not absent" },
  "list gives the directory itself": {
    ...driver(ListsTheDirectory),
    caughtBy: "list: never gives the directory itself",
  },
  "list gives siblings": { ...driver(ListsSiblings), caughtBy: "list: never gives siblings" },
  "list sorts by UTF-16": { ...driver(SortsByUtf16), caughtBy: "list: sorts by the bytes" },
  "values are shared": { ...driver(SharesItsBytes), caughtBy: "get: hands out bytes that are the caller's own" },
  "answers of a batch are swapped": { ...driver(SwapsAnswers), caughtBy: "concurrent calls: each gets its own answer" },
  "one failure fails its batch": {
    ...driver(FailsTheBatch),
    caughtBy: "concurrent calls: one that fails does not fail",
  },
  "watch misses deletes": { ...driver(WatchMissesDeletes), caughtBy: "watch: shows deletion and recreation" },
  "watch misses every second change": { ...driver(WatchSeesOneMissesOne), caughtBy: "watch: shows each new state" },
  "watch starts empty": { ...driver(WatchStartsEmpty), caughtBy: "watch: shows the current state first" },
  "watchTree shows siblings": {
    ...driver(TreeWatchSeesSiblings),
    caughtBy: "watchTree: never shows the directory itself",
  },
  "a lock is not exclusive": { ...driver(AnyoneLocks), caughtBy: "contention for a lock: a second contender waits" },
  "the token does not grow": { ...driver(SameToken), caughtBy: "lock: the fencing token grows" },
  "unlock leaves the value": {
    ...driver(LeavesTheLockValue),
    caughtBy: "lock: shows its value while held, and nothing",
  },
  "a ttl never ends": { ...driver(NeverExpires), caughtBy: "ttl: a key stays its ttl and then goes" },
  "a ttl ends early": { ...driver(ExpiresEarly), caughtBy: "ttl: a key stays its ttl and then goes" },
  "an overwrite keeps the ttl": { ...driver(OverwritesKeepTheTtl), caughtBy: "ttl: a later write without it makes" },
  "a failed commit leaves half of it": {
    ...driver(CommitsHalf),
    caughtBy: "atomic: writes nothing when a check fails",
  },
  "a failed check blames another key": {
    ...driver(BlamesTheFirstKey),
    caughtBy: "atomic: writes nothing when a check fails",
  },
  "deleteTree deletes the directory's own key": {
    ...driver(DeletesTheDirectory),
    caughtBy: "deleteTree: leaves the key",
  },
  "keys are not canonical": {
    ...method(
      "get",
      (store) => (key, options) => original(store, "get")(key.startsWith("/") ? `${key}x` : key, options),
    ),
    caughtBy: "canonical keys: strips and collapses slashes",
  },
  "put does not copy its bytes": {
    ...method("put", (store) => async (key, value, options) => {
      await Promise.resolve();
      return original(store, "put")(key, value, options);
    }),
    caughtBy: "put: copies the bytes before it returns",
  },
  "put throws instead of rejecting": {
    ...method("put", (store) => (key, value, options) => {
      if (key.includes("..")) throw new Error("thrown");
      return original(store, "put")(key, value, options);
    }),
    caughtBy: "bad arguments: put refuses a bad key",
  },
  "writes of one key overtake each other": {
    ...method("put", (store) => async (key, value, options) => {
      const bytes = typeof value === "string" ? value : value.slice();
      if (typeof bytes === "string" && bytes.endsWith("7")) await new Promise((resolve) => setTimeout(resolve, 5));
      return original(store, "put")(key, bytes, options);
    }),
    caughtBy: "concurrent calls: writes to one key keep their order",
  },
  "reads see what is not yet written": {
    ...driver(ReadsTooEarly),
    caughtBy: "random interleavings: the answers",
  },
  "a timeout of NaN is taken": {
    ...method("get", (store) => (key, options) => {
      const timeoutMs = Number.isNaN(options?.timeoutMs) ? undefined : options?.timeoutMs;
      return original(store, "get")(key, { ...options, timeoutMs });
    }),
    caughtBy: "bad arguments: get refuses what is no timeout",
  },
  "a signal is not heeded": {
    ...method("get", (store) => (key, options) => original(store, "get")(key, { ...options, signal: undefined })),
    caughtBy: "abort: get rejects with the reason",
  },
  "a listener stays on the signal": {
    ...method("get", (store) => (key, options) => {
      options?.signal?.addEventListener("abort", () => {});
      return original(store, "get")(key, options);
    }),
    caughtBy: "abort: no listener is left on a signal",
  },
  "a rejection is left unhandled": {
    ...method("ping", (store) => (options) => {
      void Promise.reject(new Error("nobody listens"));
      return original(store, "ping")(options);
    }),
    caughtBy: "update: takes an async function",
  },
  "update overwrites what came between": {
    ...method("update", (store) => async (key, fn, options) => {
      const value = await fn(await store.get(key));
      return typeof value === "string" ? store.put(key, value, options) : original(store, "update")(key, () => value);
    }),
    caughtBy: "update: asks again when another was faster",
  },
  "the root is deleted without being told to": {
    ...method("deleteTree", (store) => (directory) => original(store, "deleteTree")(directory, { root: true })),
    caughtBy: "deleteTree: refuses the root unless told",
  },
  "the limit is one too many": {
    ...method("keys", (store) => (directory, options) => {
      const limit = options?.limit === undefined ? undefined : options.limit + 1;
      return original(store, "keys")(directory, { ...options, limit });
    }),
    caughtBy: "keys: counts directories toward the limit",
  },
  "a closed store still reads": {
    wrap: (store) => {
      const kept = new Map<string, KVPair | undefined>();
      const get = original(store, "get");
      Object.defineProperty(store, "get", {
        value: async (key: string, options?: object) => (store.state === "closed" ? kept.get(key) : get(key, options)),
      });
      return store;
    },
    caughtBy: "closed store: get rejects with CLOSED",
  },
  "a namespace keeps the prefix": {
    ...method("namespace", (store) => (prefix) => {
      const inner = original(store, "namespace")(prefix);
      Object.defineProperty(inner, "keys", {
        value: (directory: string) => store.keys(`${prefix}/${directory}`),
      });
      return inner;
    }),
    caughtBy: "namespace: sees nothing outside",
  },
  "keepAlive does nothing": {
    ...method(
      "put",
      (store) => (key, value, options) =>
        original(store, "put")(key, value, options?.ttlMs === undefined ? options : { ...options, keepAlive: false }),
    ),
    caughtBy: "keepAlive: a key outlives its ttl",
  },
};

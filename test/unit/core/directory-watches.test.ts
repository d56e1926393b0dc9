import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { DirectoryWatches, type PartHost } from "../../../src/core/directory-watches.js";
import type { Upstream, WatchScope } from "../../../src/core/driver.js";
import { asStoreError, StoreError } from "../../../src/core/errors.js";
import { holds, type KeyPart } from "../../../src/core/key-parts.js";
import { KVPair } from "../../../src/core/pair.js";
import type { PolledMember, PolledSource, Telling } from "../../../src/core/polled-watch.js";
import { ManualClock, settle } from "./support/manual-clock.js";

/** A server that answers a poll when something was written since the answer before. */
class Server {
  readonly pairs = new Map<string, KVPair>();
  /** Upstreams whose question it holds: all that are open, when nothing else is going on. */
  readonly asking = new Set<Source>();
  revision = 0n;

  put(key: string): void {
    this.pairs.set(key, new KVPair(key, new Uint8Array(), ++this.revision));
    this.#wake();
  }

  delete(key: string): void {
    this.revision++;
    this.pairs.delete(key);
    this.#wake();
  }

  /** As when it was restarted, or its connections were cut. */
  failAll(error: StoreError): void {
    for (const source of this.asking) source.answer(error);
  }

  #wake(): void {
    for (const source of this.asking) source.answer();
  }
}

/** An upstream of it, which insists on being told of its own keys only. */
class Source implements PolledSource {
  readonly scope: WatchScope | KeyPart;
  readonly part: PartHost | undefined;
  readonly #server: Server;
  #revision = -1n;
  answer: (error?: StoreError) => void = () => {};

  constructor(server: Server, scope: WatchScope | KeyPart, part?: PartHost) {
    this.#server = server;
    this.scope = scope;
    this.part = part;
  }

  get continues(): boolean {
    return this.#revision >= 0n;
  }

  forget(): void {
    this.#revision = -1n;
  }

  async read(): Promise<Telling> {
    await Promise.resolve();
    return this.#telling();
  }

  async poll(signal: AbortSignal): Promise<Telling> {
    if (this.#revision === this.#server.revision) await this.#wait(signal);
    return this.#telling();
  }

  explain(error: unknown): StoreError {
    return asStoreError(error);
  }

  async #wait(signal: AbortSignal): Promise<void> {
    this.#server.asking.add(this);
    try {
      await new Promise<void>((resolve, reject) => {
        signal.addEventListener("abort", () => reject(signal.reason));
        this.answer = (error) => (error === undefined ? resolve() : reject(error));
      });
    } finally {
      this.#server.asking.delete(this);
    }
  }

  #telling(): Telling {
    const pairs = new Map(this.#server.pairs);
    this.#revision = this.#server.revision;
    return (members: readonly PolledMember[]) => {
      for (const { sink, key } of members) {
        if (key === undefined) continue;
        if (this.scope.type !== "tree") expect(holds(this.scope as KeyPart, key)).toBe(true);
        const pair = pairs.get(key);
        sink.snapshot(pair === undefined ? [] : [pair]);
      }
      return 0;
    };
  }
}

/** The watch of a key, and what it was told last. */
interface Watch {
  readonly key: string;
  readonly upstream: Upstream;
  readonly told: { pair: KVPair | undefined; code?: string | undefined }[];
}

function create(most: number | undefined) {
  const clock = new ManualClock();
  const server = new Server();
  let others = 0;
  const watches = new DirectoryWatches(
    { clock, suspended: () => {} },
    (scope) => new Source(server, scope),
    most === undefined
      ? undefined
      : {
          most,
          underway: () => server.asking.size + others,
          sourceOf: (part, host) => new Source(server, part, host),
        },
  );
  const watch = (key: string): Watch => {
    const told: Watch["told"] = [];
    const upstream = watches.watch(
      { type: "key", path: key },
      {
        snapshot: ([pair]) => told.push({ pair }),
        changes: () => {},
        fail: ({ code }) => told.push({ pair: undefined, code }),
      },
    );
    return { key, upstream, told };
  };
  /** Those of keys that share. */
  const shared = (): Source[] => [...server.asking].filter(({ part }) => part !== undefined);
  const paths = (): string[] =>
    shared()
      .map(({ scope: { type, path } }) => (type === "key" ? `=${path}` : path))
      .toSorted();
  return { clock, server, watch, shared, paths, waitForOthers: (count: number) => void (others = count) };
}

/** The first four of a directory share nothing. */
const alone = ["d/w", "d/x", "d/y", "d/z"];

describe("watches of keys of one directory", () => {
  it("share one upstream, and are told each of its own key", async () => {
    const { server, watch } = create(undefined);
    const watches = Array.from({ length: 100 }, (_, at) => watch(`d/${at}`));
    await settle();
    expect(server.asking.size).toBe(5);
    expect([...server.asking].at(-1)!.scope).toEqual({ type: "tree", path: "d" });
    server.put("d/77");
    await settle();
    expect(watches[77]!.told.at(-1)?.pair?.revision).toBe(1n);
    for (const { upstream } of watches) upstream.close();
    await settle();
    expect(server.asking.size).toBe(0);
  });

  it("are split by what their keys begin with, when their upstream asks for it and there is room", async () => {
    const { server, watch, shared, paths } = create(10);
    const watches = [...alone, "d/1", "d/10", "d/11", "d/2"].map(watch);
    await settle();
    expect(paths()).toEqual(["d/"]);
    shared()[0]!.part!.split();
    // Written before the new upstreams have begun.
    server.put("d/10");
    await settle();
    expect(paths()).toEqual(["d/1", "d/2"]);
    expect(watches[5]!.told.at(-1)?.pair?.revision).toBe(1n);
    shared()
      .find(({ scope }) => scope.path === "d/1")!
      .part!.split();
    await settle();
    expect(paths()).toEqual(["=d/1", "d/10", "d/11", "d/2"]);
    expect(server.asking.size).toBe(8);
    watches[6]!.upstream.close();
    await settle();
    expect(paths()).toEqual(["=d/1", "d/10", "d/2"]);
  });

  it("have an upstream of as few keys as will do, where there is only one to watch", async () => {
    const { watch, shared, paths } = create(10);
    const watches = [...alone, "d/web-1", "d/web-2"].map(watch);
    await settle();
    watches.at(-1)!.upstream.close();
    for (const expected of [["=d/web-1"], ["=d/web-1"]]) {
      shared()[0]!.part!.split();
      await settle();
      expect(paths()).toEqual(expected);
    }
    watch("d/web-10");
    await settle();
    expect(paths()).toEqual(["=d/web-1", "d/web-10"]);
  });

  it("stay together where others take the room", async () => {
    const { watch, shared, paths, waitForOthers } = create(10);
    for (const key of [...alone, "d/1", "d/2", "d/3"]) watch(key);
    await settle();
    waitForOthers(4);
    shared()[0]!.part!.split();
    await settle();
    expect(paths()).toEqual(["d/"]);
    waitForOthers(3);
    shared()[0]!.part!.split();
    await settle();
    expect(paths()).toEqual(["d/1", "d/2", "d/3"]);
  });

  it("make place for a key that no part holds: beside them, and without room within one", async () => {
    const { watch, shared, paths } = create(9);
    for (const key of [...alone, "d/10", "d/11", "d/2"]) watch(key);
    await settle();
    shared()[0]!.part!.split();
    await settle();
    shared()
      .find(({ scope }) => scope.path === "d/1")!
      .part!.split();
    await settle();
    watch("d/3");
    await settle();
    expect(paths()).toEqual(["d/10", "d/11", "d/2", "d/3"]);
    watch("d/30");
    watch("d/4");
    await settle();
    expect(paths()).toEqual(["d/10", "d/11", "d/2", "d/3", "d/4"]);
    const late = watch("d/12");
    await settle();
    expect(paths()).toEqual(["d/1", "d/2", "d/3", "d/4"]);
    expect(late.told).toEqual([{ pair: undefined }]);
  });

  it("are together again when there are too many questions, and for a minute", async () => {
    const { clock, watch, shared, paths } = create(20);
    for (const directory of ["d", "e"]) for (const key of [...alone, "d/1", "d/2"]) watch(directory + key.slice(1));
    await settle();
    for (const { part } of shared()) part!.split();
    await settle();
    expect(paths()).toEqual(["d/1", "d/2", "e/1", "e/2"]);
    shared()[0]!.part!.gather();
    await settle();
    expect(paths()).toEqual(["d/", "e/"]);
    await clock.advance(59_999);
    shared()[0]!.part!.split();
    await settle();
    expect(paths()).toEqual(["d/", "e/"]);
    await clock.advance(1);
    shared()[0]!.part!.split();
    await settle();
    expect(paths()).toHaveLength(3);
  });

  it("are together again also where one part is all that is left", async () => {
    const { watch, shared, paths } = create(20);
    const watches = [...alone, "d/1", "d/2"].map(watch);
    await settle();
    shared()[0]!.part!.split();
    await settle();
    watches.at(-1)!.upstream.close();
    await settle();
    expect(paths()).toEqual(["d/1"]);
    shared()[0]!.part!.gather();
    await settle();
    expect(paths()).toEqual(["d/"]);
  });

  it("fail with their part, and a watch that comes later gets an upstream that works", async () => {
    const { server, watch, shared, paths } = create(20);
    const [one, two] = [...alone, "d/1", "d/2"].map(watch).slice(-2);
    await settle();
    shared()[0]!.part!.split();
    await settle();
    shared()[0]!.answer(new StoreError("PERMISSION_DENIED", "not you"));
    await settle();
    expect([one!.told.at(-1)?.code, two!.told.at(-1)?.code]).toEqual(["PERMISSION_DENIED", undefined]);
    one!.upstream.close();
    const again = watch("d/1");
    server.put("d/1");
    await settle();
    expect([paths(), again.told.at(-1)?.pair?.revision]).toEqual([["d/1", "d/2"], 1n]);
  });

  const key = fc.tuple(
    fc.constantFrom("d", "e"),
    fc.string({ unit: fc.constantFrom("1", "2", "3", "\u{1F600}"), minLength: 1, maxLength: 3 }),
  );
  const step = fc.oneof(
    { weight: 6, arbitrary: fc.record({ type: fc.constant("watch"), key }) },
    { weight: 3, arbitrary: fc.record({ type: fc.constant("close"), at: fc.nat() }) },
    { weight: 5, arbitrary: fc.record({ type: fc.constant("put"), key }) },
    { weight: 2, arbitrary: fc.record({ type: fc.constant("delete"), key }) },
    { weight: 5, arbitrary: fc.record({ type: fc.constant("split"), at: fc.nat() }) },
    { weight: 1, arbitrary: fc.record({ type: fc.constant("gather"), at: fc.nat() }) },
    { weight: 1, arbitrary: fc.record({ type: fc.constant("fail") }) },
    { weight: 6, arbitrary: fc.record({ type: fc.constant("settle") }) },
  );

  it("miss nothing and keep to the room there is, whoever comes and goes while parts are made and given up", async () => {
    const most = 14;
    const run = async (steps: readonly { type: string; key?: [string, string]; at?: number }[]): Promise<void> => {
      const { clock, server, watch, shared } = create(most);
      for (const directory of ["d", "e"]) for (const each of alone) watch(directory + each.slice(1));
      const open: Watch[] = [];
      const pick = <T>(from: readonly T[], at: number | undefined): T | undefined => from[(at ?? 0) % from.length];
      const check = async (): Promise<void> => {
        await clock.advance(2_000);
        for (const { key: own, told } of open) {
          expect(told.at(-1)).toEqual({ pair: server.pairs.get(own) });
          const revisions = told.flatMap(({ pair }) => (pair === undefined ? [] : [pair.revision]));
          expect(revisions).toEqual(revisions.toSorted((a, b) => Number(a - b)));
        }
        const parts = shared().map(({ scope }) => scope as KeyPart);
        for (const part of parts) {
          expect(parts.filter((other) => holds(other, part.path))).toEqual([part]);
          expect(open.some((each) => holds(part, each.key))).toBe(true);
        }
        expect(server.asking.size).toBeLessThanOrEqual(most);
      };
      for (const { type, key: name, at } of steps) {
        const path = name?.join("/");
        if (type === "watch") open.push(watch(path!));
        else if (type === "close") open.splice((at ?? 0) % Math.max(open.length, 1), 1)[0]?.upstream.close();
        else if (type === "put") server.put(path!);
        else if (type === "delete") server.delete(path!);
        else if (type === "split") pick(shared(), at)?.part!.split();
        else if (type === "gather") pick(shared(), at)?.part!.gather();
        else if (type === "fail") server.failAll(new StoreError("BACKEND", "restarted"));
        else await check();
        if (type === "gather") await clock.advance(60_000);
      }
      await check();
      for (const { upstream } of open) upstream.close();
      await settle();
      expect(server.asking.size).toBe(2 * alone.length);
    };
    await fc.assert(fc.asyncProperty(fc.array(step, { minLength: 20, maxLength: 80 }), run), {
      numRuns: 100,
      interruptAfterTimeLimit: 10_000,
    });
  });
});

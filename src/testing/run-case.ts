import assert from "node:assert/strict";
import type { Capabilities } from "../core/capabilities.js";
import type { Store } from "../core/store.js";
import { sleep } from "../util/sleep.js";
import type { Case, CaseContext } from "./case.js";
import type { Factory, Fixture } from "./fixture.js";
import type { FastCheck } from "./properties/fast-check.js";

const defaultPatienceMs = 5_000;

/** Runs one case on a fixture of its own, and fails when a rejection was left unhandled meanwhile. */
export async function runCase(
  run: Case,
  factory: Factory,
  fc: FastCheck | undefined,
  learn: (capabilities: Capabilities) => void,
): Promise<void> {
  const unhandled: unknown[] = [];
  const onUnhandled = (reason: unknown): void => void unhandled.push(reason);
  process.on("unhandledRejection", onUnhandled);
  try {
    const fixture = await factory.create();
    const opened: Store[] = [];
    try {
      learn(fixture.store.capabilities);
      await run(createContext(fixture, opened, fc));
    } finally {
      await Promise.all(opened.map((store) => store.close()));
      await fixture.close();
    }
    // Node tells of unhandled rejections after the microtasks of a turn.
    await new Promise((resolve) => setImmediate(resolve));
  } finally {
    process.off("unhandledRejection", onUnhandled);
  }
  assert.deepEqual(unhandled, [], "a rejection was left unhandled");
}

function createContext(fixture: Fixture, opened: Store[], fc: FastCheck | undefined): CaseContext {
  const { store, timing } = fixture;
  const patienceMs = timing.patienceMs ?? defaultPatienceMs;
  return {
    store,
    timing,
    patienceMs,
    capabilities: store.capabilities,
    another: async (options) => {
      const other = await fixture.another(options);
      opened.push(other);
      return other;
    },
    suspend: async () => fixture.suspend!(),
    resume: async () => fixture.resume!(),
    pass: (ms) => (timing.advance === undefined ? sleep(ms) : timing.advance(ms)),
    within: (promise, what, extraMs = 0) => within(promise, what, patienceMs + extraMs),
    get fc() {
      assert.ok(fc !== undefined, "this case needs fast-check: storeSuite({ …, fc })");
      return fc;
    },
  };
}

/** A hanging test tells nothing; this one says what it waited for. */
async function within<T>(promise: Promise<T>, what: string, limitMs: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(
      () => reject(new assert.AssertionError({ message: `${what}: not within ${limitMs} ms` })),
      limitMs,
    );
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

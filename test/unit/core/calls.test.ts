import { describe, expect, it } from "vitest";
import { Calls, type CallSubject } from "../../../src/core/calls.js";
import { Signals } from "../../../src/core/signals.js";
import { ManualClock } from "./support/manual-clock.js";
import { countListeners } from "./support/listeners.js";

function create(options: { maxPending?: number; suspended?: boolean } = {}) {
  const clock = new ManualClock();
  const calls = new Calls({
    clock,
    timeoutMs: 1_000,
    maxPending: options.maxPending ?? 100,
    place: { backend: "test", endpoint: "test:1" },
    isSuspended: () => options.suspended ?? false,
    signals: new Signals(),
  });
  return { clock, calls };
}

const get: CallSubject = { operation: "get", key: "a", write: false };
const put: CallSubject = { operation: "put", key: "a", write: true };

/** How a promise ended, without waiting for one that has not. */
function ends(promise: Promise<unknown>): () => Promise<unknown> {
  let ended: unknown = "pending";
  promise.then(
    (value) => (ended = value),
    (error: unknown) => (ended = error),
  );
  return async () => {
    await new Promise((resolve) => setImmediate(resolve));
    return ended;
  };
}

describe("deadlines", () => {
  it("of the store's own timeout share one timer, and end in order at their own times", async () => {
    const { clock, calls } = create();
    const first = ends(calls.begin(get, undefined).promise);
    await clock.advance(400);
    const second = ends(calls.begin(get, {}).promise);
    const third = ends(calls.begin(get, { timeoutMs: 1_000 }).promise);
    expect(clock.timers).toBe(1);
    await clock.advance(599);
    expect(await first()).toBe("pending");
    await clock.advance(1);
    expect(await first()).toMatchObject({ code: "TIMEOUT", key: "a", backend: "test", endpoint: "test:1" });
    expect(await second()).toBe("pending");
    expect(clock.delays).toEqual([400]);
    await clock.advance(400);
    expect(await second()).toMatchObject({ code: "TIMEOUT" });
    expect(await third()).toMatchObject({ code: "TIMEOUT" });
    expect(clock.timers).toBe(0);
  });

  it("a call that was answered does not hold up the deadline of the next", async () => {
    const { clock, calls } = create();
    const answered = calls.begin<string>(get, undefined);
    answered.resolve("answer");
    expect(await answered.promise).toBe("answer");
    await clock.advance(500);
    const late = ends(calls.begin(get, undefined).promise);
    await clock.advance(999);
    expect(await late()).toBe("pending");
    await clock.advance(1);
    expect(await late()).toMatchObject({ code: "TIMEOUT" });
  });

  it("of their own are kept too, shorter, longer and none at all", async () => {
    const { clock, calls } = create();
    const short = ends(calls.begin(get, { timeoutMs: 10 }).promise);
    const long = ends(calls.begin(get, { timeoutMs: 5_000 }).promise);
    const endless = ends(calls.begin(get, { timeoutMs: Number.POSITIVE_INFINITY }).promise);
    await clock.advance(10);
    expect(await short()).toMatchObject({ code: "TIMEOUT" });
    await clock.advance(4_989);
    expect(await long()).toBe("pending");
    await clock.advance(1);
    expect(await long()).toMatchObject({ code: "TIMEOUT" });
    await clock.advance(10_000_000);
    expect(await endless()).toBe("pending");
  });

  it("take the timer with them when the call is answered", () => {
    const { clock, calls } = create();
    const call = calls.begin<string>(get, { timeoutMs: 10 });
    expect(clock.timers).toBe(1);
    call.resolve("answer");
    expect(clock.timers).toBe(0);
  });

  it("say UNREACHABLE when there was no connection, and what is known of a write", async () => {
    const { clock, calls } = create({ suspended: true });
    const unsent = ends(calls.begin(put, undefined).promise);
    const sentCall = calls.begin(put, undefined);
    sentCall.sent = true;
    const sent = ends(sentCall.promise);
    const read = ends(calls.begin(get, undefined).promise);
    await clock.advance(1_000);
    expect(await unsent()).toMatchObject({ code: "UNREACHABLE", outcome: "not-applied" });
    expect(await sent()).toMatchObject({ code: "UNREACHABLE", outcome: "unknown" });
    expect(await read()).toMatchObject({ code: "UNREACHABLE", outcome: undefined });
  });
});

describe("abort", () => {
  it("before anything was sent rejects with the signal's reason itself, writes too", async () => {
    const { calls } = create();
    const abort = new AbortController();
    const reason = new Error("enough");
    const read = ends(calls.begin(get, { signal: abort.signal }).promise);
    const write = ends(calls.begin(put, { signal: abort.signal }).promise);
    abort.abort(reason);
    expect(await read()).toBe(reason);
    expect(await write()).toBe(reason);
  });

  it("of a write that was sent says that nobody knows", async () => {
    const { calls } = create();
    const abort = new AbortController();
    const reason = new Error("enough");
    const call = calls.begin(put, { signal: abort.signal });
    call.sent = true;
    const ended = ends(call.promise);
    abort.abort(reason);
    expect(await ended()).toMatchObject({ code: "ABORTED", outcome: "unknown", key: "a", cause: reason });
  });

  it("of a signal that was aborted before lets no call begin", () => {
    const { calls } = create();
    const reason = new Error("before");
    expect(() => calls.begin(get, { signal: AbortSignal.abort(reason) })).toThrow(reason);
  });

  it("uses one listener per signal, however many calls, and none after the last", () => {
    const { calls } = create({ maxPending: 1_000 });
    const abort = new AbortController();
    const listeners = countListeners(abort.signal);
    const begun = Array.from({ length: 500 }, () => calls.begin<string>(get, { signal: abort.signal }));
    expect(listeners()).toBe(1);
    for (const call of begun.slice(1)) call.resolve("answer");
    expect(listeners()).toBe(1);
    begun[0]!.resolve("answer");
    expect(listeners()).toBe(0);
  });

  it("after the answer changes nothing", async () => {
    const { calls } = create();
    const abort = new AbortController();
    const call = calls.begin<string>(get, { signal: abort.signal });
    call.resolve("answer");
    abort.abort();
    call.reject(new Error("too late"));
    expect(await call.promise).toBe("answer");
  });
});

describe("limits", () => {
  it("one call more than maxPending is BUSY, and there is room again after an answer", () => {
    const { calls } = create({ maxPending: 2 });
    const call = calls.begin<string>(get, undefined);
    calls.begin(get, undefined);
    expect(() => calls.begin(put, undefined)).toThrow(
      expect.objectContaining({ code: "BUSY", outcome: "not-applied", message: expect.stringContaining("maxPending") }),
    );
    call.resolve("answer");
    expect(() => calls.begin(put, undefined)).not.toThrow();
  });

  it.each([0, -1, Number.NaN, "5" as unknown as number])("a timeout of %s is refused", (timeoutMs) => {
    const { calls } = create();
    expect(() => calls.begin(get, { timeoutMs })).toThrow(expect.objectContaining({ code: "INVALID_ARGUMENT" }));
  });
});

describe("close", () => {
  it("rejects what is under way, says what is known of it, and lets nothing begin", async () => {
    const { clock, calls } = create();
    const abort = new AbortController();
    const listeners = countListeners(abort.signal);
    const sentCall = calls.begin(put, { signal: abort.signal });
    sentCall.sent = true;
    const sent = ends(sentCall.promise);
    const unsent = ends(calls.begin(put, { timeoutMs: 5 }).promise);
    const read = ends(calls.begin(get, undefined).promise);
    calls.close();
    expect(await sent()).toMatchObject({ code: "CLOSED", outcome: "unknown" });
    expect(await unsent()).toMatchObject({ code: "CLOSED", outcome: "not-applied" });
    expect(await read()).toMatchObject({ code: "CLOSED", outcome: undefined });
    expect(clock.timers).toBe(0);
    expect(listeners()).toBe(0);
    expect(() => calls.begin(get, undefined)).toThrow(expect.objectContaining({ code: "CLOSED" }));
  });
});

import { describe, expect, it } from "vitest";
import type { StoreError } from "../../../src/core/errors.js";
import { KeptLease } from "../../../src/core/kept-lease.js";
import { createDeferred } from "../../../src/util/deferred.js";
import { ManualClock, settle } from "./support/manual-clock.js";
import { TestLease, unreachable } from "./support/test-driver.js";

const ttlMs = 9_000;

/** A lease of nine seconds, kept since now, and what it told. */
function keep(options: { sentMsAgo?: number; ttlMs?: number } = {}) {
  const clock = new ManualClock();
  const lease = new TestLease(options.ttlMs ?? ttlMs);
  const told: (StoreError | "ended")[] = [];
  const startedAt = clock.now() - (options.sentMsAgo ?? 0);
  const kept = new KeptLease(lease, startedAt, clock, {
    onLost: (reason) => told.push(reason),
    onEnded: () => told.push("ended"),
  });
  const since = (): number => clock.now() - startedAt;
  return { clock, lease, kept, told, since };
}

describe("renewal", () => {
  it("comes at a third of the ttl, again and again, and keeps the lease for good", async () => {
    const { clock, lease, kept, told } = keep();
    await clock.advance(ttlMs / 3 - 1);
    expect(lease.renewals).toHaveLength(0);
    await clock.advance(1);
    expect(lease.renewals).toHaveLength(1);
    await clock.advance(ttlMs * 10);
    expect(lease.renewals).toHaveLength(31);
    expect(kept.held).toBe(true);
    expect(told).toEqual([]);
  });

  it("counts the third from when the acquisition was sent", async () => {
    const { clock, lease } = keep({ sentMsAgo: 2_000 });
    await clock.advance(999);
    expect(lease.renewals).toHaveLength(0);
    await clock.advance(1);
    expect(lease.renewals).toHaveLength(1);
  });

  it("that fails is tried again several times before the deadline", async () => {
    const { clock, lease, kept, told } = keep();
    lease.answer = () => Promise.reject(unreachable());
    await clock.advance(8_000);
    expect(lease.renewals.length).toBeGreaterThanOrEqual(6);
    expect(kept.held).toBe(true);
    lease.answer = () => Promise.resolve("renewed");
    await clock.advance(ttlMs * 3);
    expect(kept.held).toBe(true);
    expect(told).toEqual([]);
  });

  it("asks for an answer before the deadline", async () => {
    const { clock, lease } = keep();
    lease.answer = () => Promise.reject(unreachable());
    const until = clock.now() + ttlMs;
    await clock.advance(ttlMs);
    for (const { deadline } of lease.renewals) expect(deadline).toBeLessThan(until);
  });

  it("stops by stop(), and tells nothing afterwards", async () => {
    const { clock, lease, kept, told } = keep();
    kept.stop();
    expect(clock.timers).toBe(0);
    expect(lease.listeners.size).toBe(0);
    lease.lose();
    await clock.advance(ttlMs * 2);
    expect(lease.renewals).toHaveLength(0);
    expect(kept.held).toBe(false);
    expect(told).toEqual([]);
  });
});

describe("the local deadline", () => {
  it("lies before the moment at which the server could give the key to another", async () => {
    const { clock, lease, kept, told, since } = keep();
    lease.answer = () => Promise.reject(unreachable());
    while (told.length === 0) await clock.advance(10);
    expect(since()).toBeLessThan(ttlMs);
    expect(since()).toBeGreaterThan(ttlMs * 0.8);
    expect(kept.held).toBe(false);
    expect(told[0]).toMatchObject({ code: "LOCK_LOST", reason: expect.stringContaining("renewed in time") });
    expect(clock.timers).toBe(0);
  });

  it("counts from sending the renewal, not from its answer", async () => {
    const { clock, lease, kept, told } = keep();
    const answer = createDeferred<"renewed">();
    lease.answer = () => answer.promise;
    await clock.advance(3_000);
    const sentAt = clock.now();
    lease.answer = () => Promise.reject(unreachable());
    await clock.advance(5_000);
    answer.resolve("renewed");
    await settle();
    expect(kept.held).toBe(true);
    while (told.length === 0) await clock.advance(10);
    expect(clock.now() - sentAt).toBeLessThan(ttlMs);
  });

  it("is not moved back by an answer that comes late", async () => {
    const { clock, lease, kept } = keep();
    const answer = createDeferred<"renewed">();
    lease.answer = () => answer.promise;
    await clock.advance(3_000);
    clock.jump(20_000);
    answer.resolve("renewed");
    await settle();
    expect(kept.held).toBe(false);
  });

  it("a process that was stopped knows at its first reading, before any timer ran", () => {
    const { clock, lease, kept, told } = keep();
    expect(kept.held).toBe(true);
    clock.jump(ttlMs);
    expect(kept.held).toBe(false);
    expect(lease.renewals).toHaveLength(0);
    expect(told).toEqual([]);
  });

  it("a process that was stopped tells the loss once its timers run, even if the server says renewed", async () => {
    const { clock, lease, kept, told } = keep();
    lease.answer = () => new Promise((resolve) => setTimeout(() => resolve("renewed"), 5));
    clock.jump(ttlMs + 5_000);
    await clock.advance(1);
    expect(told).toHaveLength(1);
    expect(kept.held).toBe(false);
  });

  it("holds for short ttls: still a margin, and a renewal before it", async () => {
    const { clock, lease, kept, told } = keep({ ttlMs: 30 });
    await clock.advance(300);
    expect(kept.held).toBe(true);
    lease.answer = () => Promise.reject(unreachable());
    const last = clock.now();
    while (told.length === 0) await clock.advance(1);
    expect(clock.now() - last).toBeLessThan(30);
  });
});

describe("the end", () => {
  it("is told at once when the server lets go of it", async () => {
    const { clock, lease, kept, told } = keep();
    lease.answer = () => Promise.resolve("lost");
    await clock.advance(3_000);
    expect(told).toEqual([expect.objectContaining({ code: "LOCK_LOST" })]);
    expect(kept.held).toBe(false);
    expect(clock.timers).toBe(0);
  });

  it("is told at once when the driver learns of it, with the cause", () => {
    const { lease, kept, told } = keep();
    const cause = unreachable();
    lease.lose(cause);
    expect(told).toEqual([expect.objectContaining({ code: "LOCK_LOST", cause })]);
    expect(kept.held).toBe(false);
    lease.lose(cause);
    expect(told).toHaveLength(1);
  });

  it("is no loss when the key is another's now", async () => {
    const { clock, lease, kept, told } = keep();
    lease.answer = () => Promise.resolve("ended");
    await clock.advance(3_000);
    expect(told).toEqual(["ended"]);
    expect(kept.held).toBe(false);
  });
});

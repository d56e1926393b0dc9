import { describe, expect, it } from "vitest";
import { Connectivity } from "../../../src/core/connectivity.js";
import { StoreError } from "../../../src/core/errors.js";
import type { StateChange } from "../../../src/core/store.js";
import { createDeferred, type Deferred } from "../../../src/util/deferred.js";
import { ManualClock, settle } from "./support/manual-clock.js";
import { unreachable } from "./support/test-driver.js";

function create() {
  const clock = new ManualClock();
  const pings: { at: number; deadline: number; answer: Deferred<void> }[] = [];
  const connectivity = new Connectivity(clock, { backend: "test", endpoint: "test:1" }, (deadline) => {
    const answer = createDeferred<void>();
    pings.push({ at: clock.now(), deadline, answer });
    return answer.promise;
  });
  const changes: StateChange[] = [];
  connectivity.onChange((change) => changes.push(change));
  const answer = async (error?: StoreError): Promise<void> => {
    const ping = pings.at(-1)!;
    if (error === undefined) ping.answer.resolve();
    else ping.answer.reject(error);
    await settle();
  };
  return { clock, connectivity, pings, changes, answer };
}

describe("suspended", () => {
  it("asks at once, tells the state with its reason, and goes on with the first answer", async () => {
    const { connectivity, pings, changes, answer } = create();
    const gate: string[] = [];
    connectivity.addGate({ pause: () => gate.push("pause"), resume: () => gate.push("resume") });
    const reason = unreachable();
    expect(connectivity.whenConnected()).toBeUndefined();
    connectivity.suspend(reason);
    expect(connectivity.state).toBe("suspended");
    expect(gate).toEqual(["pause"]);
    expect(pings).toHaveLength(1);
    const connected = connectivity.whenConnected();
    await answer();
    await connected;
    expect(connectivity.state).toBe("connected");
    expect(gate).toEqual(["pause", "resume"]);
    expect(changes).toEqual([
      { state: "suspended", previous: "connected", reason, lostKeys: [], restoredKeys: [] },
      { state: "connected", previous: "suspended", lostKeys: [], restoredKeys: [] },
    ]);
  });

  it("has one question under way at a time, however often it is told", async () => {
    const { clock, connectivity, pings } = create();
    for (let times = 0; times < 100; times++) connectivity.suspend(unreachable());
    await clock.advance(10_000);
    expect(pings).toHaveLength(1);
    expect(pings[0]!.deadline - pings[0]!.at).toBe(2_000);
  });

  it("asks with growing pauses, never in a busy loop", async () => {
    const { clock, connectivity, pings, answer } = create();
    connectivity.suspend(unreachable());
    while (pings.length < 12) {
      const asked = pings.length;
      await answer(unreachable());
      expect(pings, "not again without a pause").toHaveLength(asked);
      const [delay] = clock.delays;
      await clock.advance(delay!);
    }
    const pauses = pings.slice(1).map(({ at }, index) => at - pings[index]!.at);
    expect(Math.min(...pauses)).toBeGreaterThanOrEqual(10);
    expect(pauses.at(-1)).toBeGreaterThanOrEqual(1_000);
    expect(Math.max(...pauses)).toBeLessThanOrEqual(2_000);
  });

  it("takes any other answer for an answer: the calls will hear the same", async () => {
    const { connectivity, answer } = create();
    connectivity.suspend(unreachable());
    await answer(new StoreError("PERMISSION_DENIED", "no"));
    expect(connectivity.state).toBe("connected");
  });

  it("goes on asking after a TIMEOUT", async () => {
    const { connectivity, answer, clock, pings } = create();
    connectivity.suspend(unreachable());
    await answer(new StoreError("TIMEOUT", "slow"));
    expect(connectivity.state).toBe("suspended");
    await clock.advance(20);
    expect(pings).toHaveLength(2);
  });
});

describe("closed", () => {
  it("stops asking, frees those who wait, and tells its listeners a last time", async () => {
    const { clock, connectivity, changes, answer, pings } = create();
    connectivity.suspend(unreachable());
    await answer(unreachable());
    const waiting = connectivity.whenConnected();
    connectivity.close(undefined);
    await waiting;
    expect(clock.timers).toBe(0);
    expect(changes.at(-1)).toMatchObject({ state: "closed", previous: "suspended" });
    const told = changes.length;
    connectivity.suspend(unreachable());
    connectivity.reportKeys({ lostKeys: ["a"] });
    connectivity.close(undefined);
    await clock.advance(10_000);
    expect(changes).toHaveLength(told);
    expect(pings).toHaveLength(1);
    expect(connectivity.state).toBe("closed");
  });

  it("stays closed when a question is answered afterwards", async () => {
    const { connectivity, answer } = create();
    connectivity.suspend(unreachable());
    connectivity.close(undefined);
    await answer();
    expect(connectivity.state).toBe("closed");
  });
});

describe("listeners", () => {
  it("may leave while they are told, and are told no more", () => {
    const { connectivity } = create();
    const told: string[] = [];
    const leave = connectivity.onChange(() => {
      told.push("first");
      leave();
    });
    connectivity.onChange(() => told.push("second"));
    connectivity.reportKeys({ lostKeys: ["a"] });
    connectivity.reportKeys({ restoredKeys: ["a"] });
    expect(told).toEqual(["first", "second", "second"]);
  });

  it("the same function twice is two listeners", () => {
    const { connectivity } = create();
    let told = 0;
    const listener = (): void => void told++;
    const leave = connectivity.onChange(listener);
    connectivity.onChange(listener);
    connectivity.reportKeys({});
    expect(told).toBe(2);
    leave();
    connectivity.reportKeys({});
    expect(told).toBe(3);
  });
});

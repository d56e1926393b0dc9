import { describe, expect, it } from "vitest";
import { Alarm } from "../../../src/zookeeper/client/alarm.js";
import { Heartbeat } from "../../../src/zookeeper/client/heartbeat.js";
import { SessionDeadline } from "../../../src/zookeeper/client/session-deadline.js";
import { nextState, type SessionEvent, type SessionState } from "../../../src/zookeeper/client/session-state.js";
import { HandClock } from "./hand-clock.js";

const session = { id: 1n, timeoutMs: 9_000 };
const opened: SessionEvent = { name: "opened", session, server: "zk1:2181", readOnly: false };

function run(...events: SessionEvent[]): SessionState {
  return events.reduce(nextState, { name: "connecting" } as SessionState);
}

describe("the states of a session", () => {
  it("goes from connecting to connected, suspended and back", () => {
    expect(run(opened)).toEqual({ ...opened, name: "connected" });
    expect(run(opened, { name: "lost" })).toEqual({ name: "suspended", session });
    expect(run(opened, { name: "lost" }, opened)).toEqual({ ...opened, name: "connected" });
  });

  it("expires from connected and suspended, and then connects anew", () => {
    expect(run(opened, { name: "expired" })).toEqual({ name: "expired", session });
    expect(run(opened, { name: "lost" }, { name: "expired" })).toEqual({ name: "expired", session });
    expect(run(opened, { name: "expired" }, { name: "lost" })).toEqual({ name: "expired", session });
    expect(run(opened, { name: "expired" }, { name: "renewed" })).toEqual({ name: "connecting" });
  });

  it("has no session to lose or to expire before the first", () => {
    expect(run({ name: "lost" })).toEqual({ name: "connecting" });
    expect(run({ name: "expired" })).toEqual({ name: "connecting" });
  });

  it("keeps nothing of what a read-only server called a session", () => {
    expect(run({ ...opened, readOnly: true }, { name: "lost" })).toEqual({ name: "connecting" });
  });

  it("never leaves closed", () => {
    for (const event of [opened, { name: "lost" }, { name: "expired" }, { name: "renewed" }] as const) {
      expect(run(opened, { name: "closed" }, event)).toEqual({ name: "closed" });
    }
  });
});

describe("the local deadline", () => {
  function start(): { clock: HandClock; deadline: SessionDeadline; passed: number[] } {
    const clock = new HandClock();
    const passed: number[] = [];
    const deadline = new SessionDeadline(clock, () => passed.push(clock.now()));
    return { clock, deadline, passed };
  }

  it("passes before the timeout has, counted from the sending of what was answered last", () => {
    const { clock, deadline, passed } = start();
    const sentAt = clock.now();
    clock.advance(500); // the answer took so long
    deadline.grant(sentAt, 9_000);
    clock.advance(3_000);
    const pingedAt = clock.now();
    clock.advance(400);
    deadline.acknowledge(pingedAt);
    clock.advance(20_000);
    expect(passed).toHaveLength(1);
    expect(passed[0]! - pingedAt).toBeLessThan(9_000);
    expect(passed[0]! - pingedAt).toBeGreaterThan(8_500);
    expect(passed[0]).toBe(deadline.time);
  });

  it("is not put off by answers to what was sent earlier", () => {
    const { clock, deadline, passed } = start();
    const first = clock.now();
    deadline.grant(first, 9_000);
    clock.advance(1_000);
    deadline.acknowledge(clock.now());
    deadline.acknowledge(first);
    clock.advance(20_000);
    expect(passed[0]! - first).toBeCloseTo(1_000 + 9_000 * 0.98);
  });

  it("does not pass while pings are answered, nor after it is cancelled", () => {
    const { clock, deadline, passed } = start();
    deadline.grant(clock.now(), 9_000);
    for (let at = 0; at < 100; at++) {
      clock.advance(3_000);
      deadline.acknowledge(clock.now());
    }
    deadline.cancel();
    clock.advance(100_000);
    expect(passed).toEqual([]);
    expect(clock.timers).toBe(0);
    expect(deadline.time).toBe(Number.NEGATIVE_INFINITY);
  });
});

describe("the heartbeat", () => {
  function start(): { clock: HandClock; heartbeat: Heartbeat; log: string[]; answering: { on: boolean } } {
    const clock = new HandClock();
    const startedAt = clock.now();
    const log: string[] = [];
    const answering = { on: true };
    const heartbeat: Heartbeat = new Heartbeat(clock, 9_000, {
      ping: (now) => {
        log.push(`ping ${now - startedAt}`);
        if (answering.on) heartbeat.lastHeardAt = clock.now();
      },
      stalled: () => log.push(`stalled ${Math.round(clock.now() - startedAt)}`),
    });
    return { clock, heartbeat, log, answering };
  }

  it("pings every third of the timeout when nothing else is sent", () => {
    const { clock, heartbeat, log } = start();
    clock.advance(10_000);
    expect(log).toEqual(["ping 3000", "ping 6000", "ping 9000"]);
    heartbeat.stop();
    expect(clock.timers).toBe(0);
  });

  it("does not ping while requests go out and are answered", () => {
    const { clock, heartbeat, log } = start();
    for (let at = 0; at < 100; at++) {
      clock.advance(1_000);
      heartbeat.lastSentAt = heartbeat.lastHeardAt = clock.now();
    }
    expect(log).toEqual([]);
  });

  it("gives up two thirds of the timeout after the last sign of life", () => {
    const { clock, log, answering } = start();
    clock.advance(3_500);
    answering.on = false;
    clock.advance(100_000);
    // Heard last at 3,000; a millisecond of grace.
    expect(log).toEqual(["ping 3000", "ping 6000", "stalled 9001"]);
    expect(clock.timers).toBe(0);
  });

  it("believes what it hears in the moment of grace, after the process itself was stopped", () => {
    const { clock, heartbeat, log, answering } = start();
    answering.on = false;
    clock.after(6_000.5, () => {
      heartbeat.lastHeardAt = clock.now();
    });
    clock.advance(6_500);
    expect(log).toEqual(["ping 3000", "ping 6001"]);
  });
});

describe("the alarm", () => {
  it("rings at the earliest of its deadlines, with one timer for all of them", () => {
    const clock = new HandClock();
    const rung: number[] = [];
    const alarm = new Alarm(clock, (now) => {
      rung.push(now);
      return rung.length === 1 ? now + 50 : undefined;
    });
    const base = clock.now();
    for (const at of [300, 100, 200, 100]) alarm.atLatest(base + at);
    expect(clock.timers).toBe(1);
    clock.advance(1_000);
    expect(rung.map((at) => at - base)).toEqual([100, 150]);
    expect(clock.timers).toBe(0);
  });
});

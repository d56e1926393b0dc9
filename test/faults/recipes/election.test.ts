import { expect, test } from "vitest";
import type { Store } from "../../../src/core/store.js";
import { type Candidate, createCandidate, leaderOf, type Term } from "../../../src/recipes/index.js";
import { createDeferred } from "../../../src/util/deferred.js";
import { Child } from "../store/support.js";
import { fired } from "../support/calls.js";
import { onBackends, ttlMs } from "./running-backend.js";
import { stopProcess } from "../../servers/stopped-process.js";

/** What docs/election.md promises beyond the ttl, times `lateByFactor`, in milliseconds: and what a loaded machine adds. */
const promisedLateMs = 1_000;
const loadedMachineMs = 2_000;

/** A candidate in another process. */
class Standing {
  readonly id: string;
  readonly child: Child;

  private constructor(url: string, key: string, id: string) {
    this.id = id;
    this.child = new Child("../recipes/candidate-child.ts", [url, key, id, String(ttlMs)]);
  }

  static async begin(url: string, key: string, id: string): Promise<Standing> {
    const standing = new Standing(url, key, id);
    expect(await standing.child.line()).toBe("waiting");
    return standing;
  }

  /** The token of its next term. */
  async leads(): Promise<bigint> {
    const line = await this.child.line();
    expect(line).toMatch(/^leads \d+$/);
    return BigInt(line.split(" ")[1]!);
  }
}

onBackends(
  (backend) => backend.shared,
  (running) => {
    test("whoever leads is killed: another leads within the documented time, with a greater token", async () => {
      const store = await running().openDirect();
      const limitMs = ttlMs * store.capabilities.ttl.lateByFactor + promisedLateMs + loadedMachineMs;
      const url = running().directUrl!;
      const ids = ["one", "two", "three"];
      const standing = await Promise.all(ids.map((id) => Standing.begin(url, "killed", id)));
      const waiting = new Map(standing.map((each) => [each.id, each.leads().then((token) => ({ each, token }))]));
      let last = { token: 0n, killedAt: Number.POSITIVE_INFINITY };
      while (waiting.size > 0) {
        const { each, token } = await Promise.race(waiting.values());
        expect(performance.now() - last.killedAt).toBeLessThan(limitMs);
        expect(token).toBeGreaterThan(last.token);
        expect(await leaderOf(store, "killed")).toBe(each.id);
        waiting.delete(each.id);
        each.child.kill("SIGKILL");
        last = { token, killedAt: performance.now() };
      }
    });

    test("a leader that was stopped: another leads, and the first knows at its first reading, and stands again", async () => {
      const store = await running().openDirect();
      const url = running().directUrl!;
      const one = await Standing.begin(url, "stopped", "one");
      const first = await one.leads();
      const two = await Standing.begin(url, "stopped", "two");
      await stopProcess(one.child.process, url);
      const second = await two.leads();
      expect(second).toBeGreaterThan(first);
      one.child.kill("SIGCONT");
      expect(await one.child.line()).toBe("ended LOCK_LOST false");
      expect(await leaderOf(store, "stopped"), "the one who woke up took nothing away").toBe("two");
      two.child.tell("resign");
      expect(await two.child.line()).toBe("ended ABORTED false");
      expect(await one.leads()).toBeGreaterThan(second);
    });
  },
);

/** A candidate that leads until its signal fires, and hands out its terms as they begin. */
class Leading {
  readonly candidate: Candidate;
  readonly over: Promise<void>;
  readonly #rivals: Set<Term>;
  #next = createDeferred<Term>();

  /** `active`: the terms that run, of all candidates; no other may be held when one begins. */
  constructor(store: Store, key: string, id: string, active: Set<Term>) {
    this.candidate = createCandidate(store, key, { id, ttlMs, restMs: 500 });
    this.#rivals = active;
    this.over = this.candidate.run((term) => this.#lead(term));
    // Whoever awaits it hears of a failure; a test that has failed already does not.
    this.over.catch(() => undefined);
  }

  next(): Promise<Term> {
    return this.#next.promise;
  }

  async #lead(term: Term): Promise<void> {
    const held = [...this.#rivals].filter((rival) => rival.held);
    if (held.length > 0) throw new Error(`${term.id} leads beside ${held[0]!.id}`);
    for (const rival of this.#rivals) {
      if (rival.token >= term.token) throw new Error(`token ${term.token} of ${term.id} comes after ${rival.token}`);
    }
    this.#rivals.add(term);
    this.#next.resolve(term);
    await fired(term.signal);
    this.#next = createDeferred();
  }
}

onBackends(
  (backend) => backend.served,
  (running) => {
    const outages: Record<string, { begin: () => void; end: () => Promise<void> }> = {
      "cut off": { begin: () => running().cutOff(), end: () => running().reconnect() },
      "in a network that passes nothing": {
        begin: () => running().proxy!.stall("both"),
        end: async () => {
          running().proxy!.resume();
          running().proxy!.cut();
        },
      },
    };

    test.each(Object.keys(outages))(
      "a leader that is %s is told before another leads, and leads again later",
      async (name) => {
        const outage = outages[name]!;
        const active = new Set<Term>();
        const key = `outage/${name}`;
        const ours = new Leading(await running().open(), key, "ours", active);
        const first = await ours.next();
        const rival = new Leading(await running().openDirect(), key, "rival", active);
        outage.begin();
        const told = fired(first.signal).then(() => "told");
        const rivalLeads = rival.next().then(() => "the rival leads");
        expect(await Promise.race([told, rivalLeads])).toBe("told");
        expect(first.held).toBe(false);
        const second = await rival.next();
        expect(second.token).toBeGreaterThan(first.token);
        await outage.end();
        // The outage did not end the campaign.
        await rival.candidate.stop();
        const third = await ours.next();
        expect(third.token).toBeGreaterThan(second.token);
        await ours.candidate.stop();
        await Promise.all([ours.over, rival.over]);
      },
    );

    test("the server is killed, for longer than the ttl, and started again: never two, and then one leads", async () => {
      const active = new Set<Term>();
      const all: Leading[] = [];
      for (const id of ["a", "b", "c"]) {
        all.push(new Leading(await running().openDirect(), "restart", id, active));
      }
      const anyNext = (): Promise<Term> => Promise.race(all.map((each) => each.next()));
      const first = await anyNext();
      for (let round = 0; round < 2; round++) {
        const leader = [...active].at(-1)!;
        const { member } = running();
        await member!.kill();
        await fired(leader.signal);
        expect(leader.signal.reason).toMatchObject({ code: "LOCK_LOST" });
        await member!.start();
        await expect.poll(() => [...active].at(-1)!.token > leader.token, { timeout: 60_000 }).toBe(true);
        expect([...active].filter((term) => term.held)).toHaveLength(1);
      }
      expect([...active].at(-1)!.token).toBeGreaterThan(first.token);
      await Promise.all(all.map((each) => each.candidate.stop()));
      await Promise.all(all.map((each) => each.over));
    });
  },
);

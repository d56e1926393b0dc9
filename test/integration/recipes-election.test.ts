import { expect, test } from "vitest";
import { type Candidate, createCandidate, leaderOf, type Term } from "../../src/recipes/index.js";
import { createDeferred, type Deferred } from "../../src/util/deferred.js";
import { isPending, onEveryBackend, reader } from "./recipes-on-every-backend.js";

/** Leads until told to end, and hands out each term as it begins. */
function terms(candidate: Candidate): { next(): Promise<Term>; ended: Promise<unknown>; active(): number } {
  const begun: Deferred<Term>[] = [];
  let taken = 0;
  let running = 0;
  let started = 0;
  const at = (index: number): Deferred<Term> => (begun[index] ??= createDeferred());
  const ended = candidate.run(async (term) => {
    running++;
    expect(running, "one term at a time").toBe(1);
    at(started++).resolve(term);
    await new Promise<void>((resolve) => term.signal.addEventListener("abort", () => resolve(), { once: true }));
    running--;
  });
  ended.catch(() => undefined);
  return { next: () => at(taken++).promise, ended, active: () => running };
}

onEveryBackend(({ open, ttlMs }) => {
  test("one leads, all can see who; when it resigns another does, with a greater token", async () => {
    const [one, two] = [await open(), await open()];
    const alice = createCandidate(one, "/jobs//leader/", { id: "alice", ttlMs, restMs: 2_000 });
    const bob = createCandidate(two, "jobs/leader", { id: "bob", ttlMs });
    expect(alice.key).toBe("jobs/leader");
    const seen = reader(bob.observe());
    expect(await seen.next()).toBeUndefined();
    expect(await bob.leader()).toBeUndefined();

    const ofAlice = terms(alice);
    const first = await ofAlice.next();
    expect(first).toMatchObject({ key: "jobs/leader", id: "alice", held: true });
    expect([alice.leading, bob.leading]).toEqual([true, false]);
    expect(await seen.next()).toBe("alice");
    const ofBob = terms(bob);
    expect(await leaderOf(one, "jobs/leader")).toBe("alice");
    expect((await two.get("jobs/leader"))?.text(), "where docker/leadership's follower reads it").toBe("alice");

    await alice.resign();
    expect(first.signal.reason).toMatchObject({ code: "ABORTED" });
    expect(first.held).toBe(false);
    const second = await ofBob.next();
    expect(second.token).toBeGreaterThan(first.token);
    let now = await seen.next();
    if (now === undefined) now = await seen.next();
    expect(now).toBe("bob");

    await bob.stop();
    await ofBob.ended;
    const third = await ofAlice.next();
    expect(third.token, "the one who resigned campaigns again").toBeGreaterThan(second.token);
    await alice.stop();
    await ofAlice.ended;
    expect([ofAlice.active(), ofBob.active()]).toEqual([0, 0]);
    expect(await bob.leader()).toBeUndefined();
    expect(await one.keys("")).toEqual([]);
    await seen.stop();
  });

  test("the leadership is given up when the function has ended, and not before", async () => {
    const [one, two] = [await open(), await open()];
    const alice = createCandidate(one, "leader", { id: "alice", ttlMs, restMs: 1 });
    const bob = createCandidate(two, "leader", { id: "bob", ttlMs });
    const begun = createDeferred<Term>();
    const mayEnd = createDeferred<void>();
    const aliceEnded = alice.run(async (term) => {
      begun.resolve(term);
      await mayEnd.promise;
    });
    const term = await begun.promise;
    const ofBob = terms(bob);
    const next = ofBob.next();
    const resigned = alice.resign();
    expect(term.signal.aborted).toBe(true);
    expect(await isPending(next, 300), "nobody leads beside a function that has not ended").toBe(true);
    expect(await isPending(resigned, 0)).toBe(true);
    mayEnd.resolve();
    await resigned;
    expect((await next).token).toBeGreaterThan(term.token);
    // Alice waits now; a stop ends the wait.
    await alice.resign();
    await alice.stop();
    await aliceEnded;
    await bob.stop();
    expect(await bob.leader()).toBeUndefined();
    expect(await two.keys("")).toEqual([]);
  });

  test("a function that fails ends the run with its error, and another leads", async () => {
    const [one, two] = [await open(), await open()];
    const alice = createCandidate(one, "leader", { id: "alice", ttlMs });
    const bob = createCandidate(two, "leader", { id: "bob", ttlMs });
    let ofBob: ReturnType<typeof terms> | undefined;
    const failed = alice.run(() => {
      ofBob = terms(bob);
      throw new Error("the work cannot be done");
    });
    await expect(failed).rejects.toThrow("the work cannot be done");
    expect((await ofBob!.next()).id).toBe("bob");
    await bob.stop();
  });

  test("closing the store ends the term and the run", async () => {
    const [one, two] = [await open(), await open()];
    const ofAlice = terms(createCandidate(one, "leader", { id: "alice", ttlMs }));
    const term = await ofAlice.next();
    await one.close();
    expect(term.signal.reason).toMatchObject({ code: "LOCK_LOST" });
    await expect(ofAlice.ended).rejects.toMatchObject({ code: "CLOSED" });
    const bob = createCandidate(two, "leader", { id: "bob", ttlMs });
    const ofBob = terms(bob);
    expect((await ofBob.next()).held).toBe(true);
    await bob.stop();
  });
});

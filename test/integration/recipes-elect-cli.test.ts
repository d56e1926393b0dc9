import path from "node:path";
import { describe, expect, test } from "vitest";
import { kvasir, newStore, start } from "./cli-support.js";
import { stopProcess } from "../servers/stopped-process.js";

/** A program that says its number and goes on until SIGTERM, then says so. */
const untilTold =
  'trap "echo told; exit 5" TERM; echo "$KVASIR_ELECT_ID $KVASIR_ELECT_TOKEN"; while :; do sleep 0.05; done';

function tokenIn(output: string, id: string): bigint {
  return BigInt(new RegExp(`^${id} (\\d+)$`, "m").exec(output)![1]!);
}

describe("elect", () => {
  test("runs the program with the leader's key, id and token, and gives its exit code", async () => {
    const { url } = await newStore();
    const print = ["sh", "-c", 'echo "$KVASIR_ELECT_KEY $KVASIR_ELECT_ID"; exit 7'];
    const done = await kvasir(["elect", "/jobs//leader/", "--id", "host-1", "--", ...print], { url });
    expect(done).toEqual({ exitCode: 7, stdout: "jobs/leader host-1\n", stderr: "" });
    expect(await kvasir(["get", "jobs/leader"], { url })).toMatchObject({ exitCode: 1 });
    expect(await kvasir(["elect", "k", "--", "no-such-program"], { url })).toMatchObject({ exitCode: 127 });
  });

  test("one leads and the others wait; a SIGTERM reaches the program, and the next one leads", async () => {
    const { url } = await newStore();
    const watching = start(["elect", "leader", "--observe"], { url });
    await watching.untilPrinted("vacant\n");
    const one = start(["elect", "leader", "--id", "one", "--", "sh", "-c", untilTold], { url });
    await one.untilPrinted("one ");
    await watching.untilPrinted("leader\tone\n");
    expect(await kvasir(["get", "leader"], { url })).toMatchObject({ stdout: "one" });
    const two = start(["elect", "leader", "--id", "two", "--", "sh", "-c", untilTold], { url });
    const waiting = start(["elect", "leader", "--id", "three", "--", "echo", "never"], { url });
    one.child.kill("SIGTERM");
    const first = await one.done;
    expect(first.exitCode).toBe(5);
    expect(first.stdout).toMatch(/told\n$/);
    // Whichever of the two is first: three's program would end at once, so two leads in the end.
    await two.untilPrinted("two ");
    await watching.untilPrinted("leader\ttwo\n");
    waiting.child.kill("SIGINT");
    two.child.kill("SIGTERM");
    const second = await two.done;
    expect(tokenIn(second.stdout, "two") > tokenIn(first.stdout, "one")).toBe(true);
    watching.child.kill("SIGINT");
    expect((await watching.done).exitCode).toBe(130);
    await waiting.done;
  });

  test("a wait that is broken off ends with the signal's exit code", async () => {
    const { url } = await newStore();
    const leader = start(["elect", "leader", "--", "sh", "-c", untilTold], { url });
    await leader.untilPrinted(" ");
    const waiting = start(["elect", "leader", "--", "echo", "never"], { url });
    const seen = start(["elect", "leader", "--observe", "--json", "--timeout", "3s"], { url });
    await seen.untilPrinted('"leader":"');
    waiting.child.kill("SIGINT");
    expect(await waiting.done).toEqual({ exitCode: 130, stdout: "", stderr: "" });
    expect((await seen.done).exitCode).toBe(0);
    leader.child.kill("SIGTERM");
    expect((await leader.done).exitCode).toBe(5);
  });

  test("when the leadership is lost the program is told and then killed, and the candidate waits again", async () => {
    const { url, folder } = await newStore();
    // The first time it does not hear SIGTERM.
    const stubborn =
      'if mkdir "$MARK"; then trap "" TERM; else trap "exit 5" TERM; fi; echo in; while :; do sleep 0.05; done';
    const args = ["elect", "leader", "--ttl", "1s"];
    const env = { MARK: path.join(folder, "mark") };
    const holder = start([...args, "--id", "one", "--", "sh", "-c", stubborn], { url, env });
    await holder.untilPrinted("in\n");
    // As a suspended machine would: the leadership runs out while it cannot be renewed.
    await stopProcess(holder.child, url);
    const next = start([...args, "--id", "two", "--", "sh", "-c", untilTold], { url });
    await next.untilPrinted("two ");
    holder.child.kill("SIGCONT");
    // It says "in" again only when the first one was killed and its candidate leads again.
    next.child.kill("SIGTERM");
    expect((await next.done).exitCode).toBe(5);
    await holder.untilPrinted("in\nin\n");
    holder.child.kill("SIGTERM");
    const { exitCode, stdout, stderr } = await holder.done;
    expect([exitCode, stdout]).toEqual([5, "in\nin\n"]);
    expect(stderr).toMatch(/LOCK_LOST.*"leader".*\nThe program was ended; waiting to lead again\.\n/);
  });

  test("refuses what makes no sense", async () => {
    const { url } = await newStore();
    for (const args of [
      ["elect", "k"],
      ["elect", "k", "echo"],
      ["elect", "k", "--observe", "--", "echo"],
    ]) {
      expect(await kvasir(args, { url }), args.join(" ")).toMatchObject({ exitCode: 2, stdout: "" });
    }
  });
});

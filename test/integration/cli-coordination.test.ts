import { readdirSync, readlinkSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import path from "node:path";
import { describe, expect, test, vi } from "vitest";
import { kvasir, newStore, start, temporaryFolder } from "./cli-support.js";
import { stopProcess } from "../servers/stopped-process.js";

const parse = (line: string): Record<string, unknown> => JSON.parse(line) as Record<string, unknown>;

describe("watch", () => {
  test("a key that is not there yet, its changes by other processes, and its end", async () => {
    const { url } = await newStore();
    const watch = start(["watch", "job/state"], { url });
    await watch.untilPrinted("absent\tjob/state\n");
    await kvasir(["put", "job/state", "two\nlines"], { url });
    await watch.untilPrinted("put\tjob/state\ttwo\\nlines\n");
    await kvasir(["delete", "job/state"], { url });
    await watch.untilPrinted("delete\tjob/state\n");
    watch.child.kill("SIGINT");
    expect(await watch.done).toEqual({
      exitCode: 130,
      stdout: "absent\tjob/state\nput\tjob/state\ttwo\\nlines\ndelete\tjob/state\n",
      stderr: "",
    });
  });

  test("a directory as JSON lines, what was there first marked as initial", async () => {
    const { url } = await newStore();
    await kvasir(["put", "config/a", "1"], { url });
    await kvasir(["put", "configX", "never shown"], { url });
    const watch = start(["watch", "--tree", "config", "--json"], { url });
    await watch.untilPrinted('"config/a"');
    await kvasir(["put", "config/b", "2"], { url });
    await watch.untilPrinted('"config/b"');
    await kvasir(["delete", "config/a"], { url });
    await watch.untilPrinted('"delete"');
    watch.child.kill("SIGTERM");
    const { exitCode, stdout } = await watch.done;
    expect(exitCode).toBe(143);
    const revision = expect.stringMatching(/^\d+$/) as string;
    expect(stdout.trim().split("\n").map(parse)).toEqual([
      { type: "put", key: "config/a", value: "1", revision, initial: true },
      { type: "put", key: "config/b", value: "2", revision },
      { type: "delete", key: "config/a" },
    ]);
  });

  test("ends after --limit lines, and with exit code 1 when --timeout comes first", async () => {
    const { url } = await newStore();
    await kvasir(["put", "a", "1"], { url });
    expect(await kvasir(["watch", "a", "--limit", "1"], { url })).toMatchObject({ exitCode: 0, stdout: "put\ta\t1\n" });
    const late = await kvasir(["watch", "a", "--changes-only", "--limit", "1", "--timeout", "200ms"], { url });
    expect(late).toEqual({ exitCode: 1, stdout: "", stderr: "" });
    const whole = await kvasir(["watch", "--tree", "--timeout", "200ms"], { url });
    expect(whole).toEqual({ exitCode: 0, stdout: "put\ta\t1\n", stderr: "" });
  });
});

describe("lock", () => {
  test("runs the program with the key and a growing token, and gives its exit code", async () => {
    const { url } = await newStore();
    const print = ["sh", "-c", 'echo "$KVASIR_LOCK_KEY $KVASIR_LOCK_TOKEN"; exit 7'];
    const first = await kvasir(["lock", "jobs/nightly", "--", ...print], { url });
    const second = await kvasir(["lock", "jobs/nightly", "--", ...print], { url });
    expect([first.exitCode, second.exitCode]).toEqual([7, 7]);
    const tokens = [first, second].map(({ stdout }) => BigInt(/^jobs\/nightly (\d+)\n$/.exec(stdout)![1]!));
    expect(tokens[1]! > tokens[0]!).toBe(true);
    expect(await kvasir(["get", "jobs/nightly"], { url })).toMatchObject({ exitCode: 1 });
    expect(await kvasir(["lock", "jobs/nightly", "--", "sh", "-c", "kill -9 $$"], { url })).toMatchObject({
      exitCode: 137,
    });
    const options = await kvasir(["lock", "k", "--", "printf", "%s\n", "--json", "--try"], { url });
    expect(options.stdout).toBe("--json\n--try\n");
  });
});

/** Whether a process has come as far as to open the file. */
function hasOpen(pid: number, file: string): boolean {
  const links = readdirSync(`/proc/${pid}/fd`).map((name) => {
    try {
      return readlinkSync(`/proc/${pid}/fd/${name}`);
    } catch {
      return "closed meanwhile";
    }
  });
  return links.includes(file);
}

describe("lock between processes", () => {
  /** A program that says it runs and goes on until SIGTERM, then says so. */
  const untilTold = 'trap "echo told; exit 5" TERM; echo in; while :; do sleep 0.05; done';

  test("others wait, or do not get it; a SIGTERM reaches the program and frees the lock", async () => {
    const { url } = await newStore();
    const holder = start(["lock", "door", "--value", "me", "--", "sh", "-c", untilTold], { url });
    await holder.untilPrinted("in\n");
    expect(await kvasir(["get", "door"], { url })).toMatchObject({ exitCode: 0, stdout: "me" });
    const tried = await kvasir(["lock", "door", "--try", "--", "echo", "never"], { url });
    expect(tried).toMatchObject({ exitCode: 1, stdout: "" });
    expect(tried.stderr).toContain('another holds the lock "door"');
    const timed = await kvasir(["lock", "door", "--timeout", "300ms", "--", "echo", "never"], { url });
    expect(timed).toMatchObject({ exitCode: 1, stdout: "" });
    const waiter = start(["lock", "door", "--", "echo", "my turn"], { url });
    holder.child.kill("SIGTERM");
    expect(await holder.done).toMatchObject({ exitCode: 5, stdout: "in\ntold\n" });
    expect(await waiter.done).toMatchObject({ exitCode: 0, stdout: "my turn\n" });
  });

  test("a wait that is broken off leaves nothing behind", async () => {
    const { file, url } = await newStore();
    const holder = start(["lock", "door", "--", "sh", "-c", untilTold], { url });
    await holder.untilPrinted("in\n");
    const waiter = start(["lock", "door", "--", "echo", "never"], { url });
    await vi.waitUntil(() => hasOpen(waiter.child.pid!, file), { timeout: 10_000, interval: 20 });
    waiter.child.kill("SIGINT");
    expect(await waiter.done).toEqual({ exitCode: 130, stdout: "", stderr: "" });
    holder.child.kill("SIGTERM");
    await holder.done;
    expect(await kvasir(["lock", "door", "--try", "--", "echo", "free"], { url })).toMatchObject({ stdout: "free\n" });
  });

  test("when the lock is lost, the program and what it started are told and then killed", async () => {
    const { url } = await newStore();
    const stubborn = 'trap "" TERM; echo in; while :; do sleep 0.05; done';
    // The inner shell ignores SIGTERM; only SIGKILL to the whole group ends it and closes standard output.
    const args = ["--ttl", "1s", "--grace", "200ms", "--", "sh", "-c", `sh -c '${stubborn}' & ${untilTold}`];
    const holder = start(["lock", "door", ...args], { url });
    await holder.untilPrinted("in\nin\n");
    // As a suspended machine would: the lock runs out while the holder cannot renew it.
    await stopProcess(holder.child, url);
    expect(await kvasir(["lock", "door", "--", "echo", "mine"], { url })).toMatchObject({ stdout: "mine\n" });
    holder.child.kill("SIGCONT");
    const { exitCode, stdout, stderr } = await holder.done;
    expect(exitCode).toBe(3);
    expect(stdout).toBe("in\nin\ntold\n");
    expect(stderr).toMatch(/^kvasir: LOCK_LOST: .*"door".*\nAnother may hold the lock now/m);
  });

  test("a program that cannot be started gives the lock back", async () => {
    const { url } = await newStore();
    const missing = await kvasir(["lock", "door", "--", "no-such-program"], { url });
    expect(missing.exitCode).toBe(127);
    expect(missing.stderr).toMatch(/no-such-program could not be started: there is no such program\n/);
    const folder = await temporaryFolder();
    const file = path.join(folder, "not-executable");
    await writeFile(file, "");
    expect(await kvasir(["lock", "door", "--", file], { url })).toMatchObject({ exitCode: 126 });
    expect(await kvasir(["lock", "door", "--try", "--", "echo", "free"], { url })).toMatchObject({ stdout: "free\n" });
  });
});

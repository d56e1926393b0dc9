import { readFile, stat } from "node:fs/promises";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { bash, cliPath, kvasir, newStore, start, temporaryFolder } from "./cli-support.js";

describe("keys", () => {
  test("put, get, exists and delete tell by their exit code", async () => {
    const { url } = await newStore();
    expect(await kvasir(["put", "config/db/host", "10.0.0.7"], { url })).toEqual({
      exitCode: 0,
      stdout: "",
      stderr: "",
    });
    expect(await kvasir(["get", "/config//db/host/"], { url })).toMatchObject({ exitCode: 0, stdout: "10.0.0.7" });
    expect(await kvasir(["exists", "config/db/host"], { url })).toMatchObject({ exitCode: 0, stdout: "" });
    expect(await kvasir(["delete", "config/db/host"], { url })).toMatchObject({ exitCode: 0 });
    expect(await kvasir(["delete", "config/db/host"], { url })).toMatchObject({ exitCode: 1 });
    expect(await kvasir(["exists", "config/db/host"], { url })).toMatchObject({ exitCode: 1 });
    const absent = await kvasir(["get", "config/db/host"], { url });
    expect(absent).toMatchObject({ exitCode: 1, stdout: "" });
    expect(absent.stderr).toBe('kvasir: there is no key "config/db/host"\n');
  });

  test("a value from standard input is kept byte for byte, an empty one too", async () => {
    const { folder, url } = await newStore();
    const bytes = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
    expect(await kvasir(["put", "piped"], { url, input: bytes })).toMatchObject({ exitCode: 0 });
    expect(await kvasir(["put", "dash", "-"], { url, input: bytes })).toMatchObject({ exitCode: 0 });
    expect(await kvasir(["put", "empty", ""], { url })).toMatchObject({ exitCode: 0 });
    await bash("kvasir get piped > piped.out; kvasir get dash > dash.out", { url, cwd: folder });
    expect(await readFile(path.join(folder, "piped.out"))).toEqual(bytes);
    expect(await readFile(path.join(folder, "dash.out"))).toEqual(bytes);
    expect(await kvasir(["get", "empty"], { url })).toMatchObject({ exitCode: 0, stdout: "" });
    // Nothing is piped in here: better an error than an empty value.
    expect(await kvasir(["put", "nothing"], { url })).toMatchObject({ exitCode: 2 });
  });

  test("conditions: the first wins, and a revision that is no longer so is a conflict", async () => {
    const { url } = await newStore();
    const first = await kvasir(["put", "owner", "a", "--if-absent", "--json"], { url });
    expect(await kvasir(["put", "owner", "b", "--if-absent"], { url })).toMatchObject({ exitCode: 1 });
    const { revision } = JSON.parse(first.stdout) as { revision: string };
    expect(await kvasir(["put", "owner", "c", "--if-revision", revision], { url })).toMatchObject({ exitCode: 0 });
    const late = await kvasir(["put", "owner", "d", "--if-revision", revision], { url });
    expect(late.exitCode).toBe(1);
    expect(late.stderr).toMatch(/^kvasir: KEY_MODIFIED: .*"owner".*\n.*\n$/);
    expect(await kvasir(["delete", "owner", "--if-revision", revision], { url })).toMatchObject({ exitCode: 1 });
    expect(await kvasir(["get", "owner"], { url })).toMatchObject({ stdout: "c" });
    const both = await kvasir(["put", "owner", "e", "--if-revision", "1", "--if-absent"], { url });
    expect(both).toMatchObject({ exitCode: 2 });
  });

  test("a ttl lets the key go", async () => {
    const { url } = await newStore();
    const put = await kvasir(["put", "session", "x", "--ttl", "1.5s", "--json"], { url });
    expect(JSON.parse(put.stdout)).toMatchObject({ key: "session", ttlMs: 1_500 });
    const watch = start(["watch", "session", "--json", "--limit", "2"], { url });
    const lines = (await watch.done).stdout.trim().split("\n");
    expect(lines.map((line) => (JSON.parse(line) as { type: string }).type)).toEqual(["put", "delete"]);
    expect(await kvasir(["get", "session"], { url })).toMatchObject({ exitCode: 1 });
  });
});

describe("directories", () => {
  async function filledStore() {
    const store = await newStore();
    for (const key of ["a", "a/b", "a/b/c", "a-b/x", "ab"]) await kvasir(["put", key, `of ${key}`], { url: store.url });
    return store;
  }

  test("list prints a line a key, sorted, and never a sibling", async () => {
    const { url } = await filledStore();
    expect((await kvasir(["list", "a"], { url })).stdout).toBe("a/b\tof a/b\na/b/c\tof a/b/c\n");
    expect((await kvasir(["list", "--keys"], { url })).stdout).toBe("a\na-b/x\na/b\na/b/c\nab\n");
    expect((await kvasir(["list", "--keys", "--depth", "1"], { url })).stdout).toBe("a\na-b/\na/\nab\n");
    expect((await kvasir(["list", "--limit", "2"], { url })).stdout.split("\n")).toHaveLength(3);
    expect(await kvasir(["list", "nothing/here"], { url })).toEqual({ exitCode: 0, stdout: "", stderr: "" });
    const [first] = (await kvasir(["list", "--json"], { url })).stdout.split("\n");
    expect(JSON.parse(first!)).toEqual({ key: "a", value: "of a", revision: expect.stringMatching(/^\d+$/) as string });
    await kvasir(["put", "odd", "two\nlines\tand\\"], { url });
    expect((await kvasir(["list"], { url })).stdout).toContain("odd\ttwo\\nlines\\tand\\\\\n");
  });

  test("tree draws them, with --json a line a node", async () => {
    const { url } = await filledStore();
    const drawn = "/\n├── a\n│   └── b\n│       └── c\n├── a-b/\n│   └── x\n└── ab\n";
    expect((await kvasir(["tree"], { url })).stdout).toBe(drawn);
    const lines = (await kvasir(["tree", "a", "--json"], { url })).stdout.trim().split("\n");
    expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual([
      { path: "a/b", key: true, directory: true },
      { path: "a/b/c", key: true, directory: false },
    ]);
  });

  test("delete --tree takes the directory, and the root only when told so", async () => {
    const { url } = await filledStore();
    expect(await kvasir(["delete", "--tree", "a", "--json"], { url })).toMatchObject({
      exitCode: 0,
      stdout: '{"directory":"a","deleted":2}\n',
    });
    expect(await kvasir(["delete", "--tree", "a"], { url })).toMatchObject({ exitCode: 1 });
    for (const args of [["--tree"], ["--tree", ""], ["--tree", "/"], ["--root", "ab"]]) {
      expect(await kvasir(["delete", ...args], { url })).toMatchObject({ exitCode: 2, stdout: "" });
    }
    expect((await kvasir(["list", "--keys"], { url })).stdout).toBe("a\na-b/x\nab\n");
    expect(await kvasir(["delete", "--tree", "--root"], { url })).toMatchObject({ exitCode: 0 });
    expect((await kvasir(["list"], { url })).stdout).toBe("");
  });
});

describe("errors are for people", () => {
  test("wrong usage is exit code 2 and says what to do", async () => {
    const { url } = await newStore();
    await kvasir(["put", "a", "b"], { url });
    const cases: [string[], RegExp][] = [
      [["nope"], /unknown command 'nope'\n`kvasir --help`/],
      [["get"], /missing required argument 'key'\n`kvasir get --help`/],
      [["list", "--jsn"], /unknown option '--jsn'\n.*--json/],
      [["put", "a", "b", "--ttl", "5x"], /'5x' is invalid\. Write a duration/],
      [["get", "a\u0007b"], /INVALID_KEY: .*U\+0007/],
      [["get", "a/../b"], /INVALID_KEY/],
      [["lock", "a", "echo", "hi"], /Write: kvasir lock KEY -- PROGRAM/],
    ];
    for (const [args, message] of cases) {
      const result = await kvasir(args, { url });
      expect(result.stderr, args.join(" ")).toMatch(message);
      expect(result, args.join(" ")).toMatchObject({ exitCode: 2, stdout: "" });
      expect(result.stderr).not.toMatch(/^\s+at /m);
    }
    expect((await kvasir(["get", "a"])).stderr).toMatch(/no store is named\nGive --url, or set KVASIR_URL/);
  });

  test("a store that fails is exit code 3, in two lines, with a stack only for KVASIR_DEBUG", async () => {
    const folder = await temporaryFolder();
    const url = `bolt:${path.join(folder, "missing.db")}`;
    const failed = await kvasir(["get", "a"], { url });
    expect(failed).toMatchObject({ exitCode: 3, stdout: "" });
    expect(failed.stderr.trim().split("\n").length).toBeLessThanOrEqual(2);
    expect(failed.stderr).toContain("missing.db");
    // Reading must not leave a file behind.
    await expect(stat(path.join(folder, "missing.db"))).rejects.toThrow("ENOENT");
    expect((await kvasir(["get", "a"], { url, env: { KVASIR_DEBUG: "1" } })).stderr).toMatch(/^\s+at /m);
  });

  test("credentials of a URL never show", async () => {
    const urls = [
      "consul://user:s3cret@127.0.0.1:1/?token=s3cret",
      "etcd://user:s3cret@127.0.0.1:1,127.0.0.1:2/prefix",
      "nosuch://user:s3cret@host",
      "bolt://user:s3cret@/nowhere/at/all.db",
      "://user:s3cret@host",
    ];
    for (const url of urls) {
      for (const env of [{}, { KVASIR_DEBUG: "1" }]) {
        const { exitCode, stdout, stderr } = await kvasir(["status", "--timeout", "300ms"], { url, env });
        expect([2, 3], url).toContain(exitCode);
        expect(stdout + stderr, url).not.toContain("s3cret");
        expect(stderr, url).not.toBe("");
      }
    }
  });

  test("each command has help with an example", async () => {
    const { stdout } = await kvasir(["--help"]);
    const names = [...stdout.matchAll(/^ {2}([a-z]+) {4,}[a-z]/gm)].map((match) => match[1]!);
    expect(names).toContain("completion");
    expect(names.length).toBeGreaterThanOrEqual(14);
    const boltNames = ["check", "stats", "dump", "compact", "backup"].map((name) => ["bolt", name]);
    for (const command of [...names.filter((name) => name !== "bolt").map((name) => [name]), ...boltNames]) {
      const help = await kvasir([...command, "--help"]);
      expect(help.exitCode, command.join(" ")).toBe(0);
      expect(help.stdout, command.join(" ")).toMatch(/\nExamples:\n {2}.*kvasir /);
    }
    expect(await kvasir(["help", "bolt", "check"])).toEqual(await kvasir(["bolt", "check", "--help"]));
  });

  test("a reader that goes away ends it quietly", async () => {
    const { folder, url } = await newStore();
    const lines = Array.from({ length: 20_000 }, (_, index) => `{"key":"k/${index}","value":"${"v".repeat(100)}"}\n`);
    await kvasir(["import"], { url, input: lines.join("") });
    const result = await bash('kvasir list | head -1; echo "${PIPESTATUS[@]}"', { url, cwd: folder });
    expect(result.stdout).toMatch(/^k\/0\tv+\n141 0\n$/);
    expect(result.stderr).toBe("");
  });

  test("a disk that is full is told", async () => {
    const { url } = await newStore();
    await kvasir(["put", "a", "b"], { url });
    const result = await bash("kvasir get a > /dev/full", { url });
    expect(result.exitCode).toBe(3);
    expect(result.stderr).toMatch(/standard output cannot be written: .*\n/);
  });
});

describe("status", () => {
  test("tells the backend, the endpoint and how long a ping takes", async () => {
    const { url } = await newStore();
    await kvasir(["put", "a", "b"], { url });
    const status = JSON.parse((await kvasir(["status", "--json"], { url })).stdout) as Record<string, unknown>;
    expect(status).toMatchObject({ backend: "bolt", endpoint: url, state: "connected" });
    expect(status["latencyMs"]).toBeGreaterThanOrEqual(0);
    expect(status["capabilities"]).toMatchObject({ backend: "bolt" });
    expect((await kvasir(["status"], { url })).stdout).toMatch(/^backend +bolt\n/);
  });
});

describe("on a terminal", () => {
  test("keys and values cannot steer it, a pipe gets them as they are", async () => {
    const { url } = await newStore();
    const value = "\u001b[2J\u009bx";
    await kvasir(["put", "evil", value], { url });
    for (const command of ["get evil", "get evil --json", "list", "list --json", "export", "watch evil --limit 1"]) {
      const script = `script -qec "$(printf '%q ' "${process.execPath}" "$KVASIR_CLI") ${command}" /dev/null < /dev/null`;
      const { stdout } = await bash(script, { url, env: { KVASIR_CLI: cliPath, TERM: "dumb" } });
      expect(stdout, command).toMatch(/\\x1b\[2J\\x9bx|\\u001b\[2J\\u009bx/);
      // oxlint-disable-next-line no-control-regex -- finding control characters is the point
      expect(stdout, command).not.toMatch(/[\u001b\u009b]/);
    }
    expect((await kvasir(["get", "evil"], { url })).stdout).toBe(value);
  });
});

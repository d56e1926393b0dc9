import { describe, expect, test } from "vitest";
import { StoreError } from "../../../src/core/errors.js";
import { KVPair } from "../../../src/core/pair.js";
import { runWith } from "./support.js";

const pair = (key: string, value: string): KVPair => new KVPair(key, new TextEncoder().encode(value), 7n);

describe("what is printed", () => {
  test("get: bytes to a pipe, a line to a terminal, a record for a program", async () => {
    const store = { get: () => Promise.resolve(pair("a", "x\u001b[2J")) };
    expect(await runWith(["get", "a"], { store })).toEqual({ exitCode: 0, stdout: "x\u001b[2J", stderr: "" });
    const terminal = await runWith(["get", "a"], { store, terminal: true });
    expect(terminal.stdout).toBe("x\\x1b[2J\n");
    const json = await runWith(["get", "a", "--json"], { store });
    expect(json.stdout).toBe('{"key":"a","value":"x\\u001b[2J","revision":"7"}\n');
  });

  test("options may stand before the command or after it", async () => {
    const store = { get: () => Promise.resolve(pair("a", "x")) };
    expect((await runWith(["--json", "get", "a"], { store })).stdout).toBe(
      (await runWith(["get", "--json", "a"], { store })).stdout,
    );
  });

  test("put tells a person the revision, and of a ttl that was raised", async () => {
    const store = { put: () => Promise.resolve(new KVPair("a", new Uint8Array(), 7n, 10_000)) };
    const result = await runWith(["put", "a", "x", "--ttl", "2s"], { store, terminal: true, env: { NO_COLOR: "1" } });
    expect(result.stdout).toBe("a revision 7\n");
    expect(result.stderr).toBe("kvasir: the ttl is 10s, the nearest that this backend can do\n");
  });
});

describe("how errors end a command", () => {
  const failing = (error: Error) => ({ get: () => Promise.reject(error) });

  test.each([
    ["KEY_EXISTS", 1],
    ["KEY_MODIFIED", 1],
    ["LOCK_HELD", 1],
    ["INVALID_KEY", 2],
    ["INVALID_ARGUMENT", 2],
    ["VALUE_TOO_LARGE", 2],
    ["NOT_SUPPORTED", 2],
    ["UNREACHABLE", 3],
    ["TIMEOUT", 3],
    ["BUSY", 3],
    ["UNAUTHENTICATED", 3],
    ["PERMISSION_DENIED", 3],
    ["LOCK_LOST", 3],
    ["CORRUPT", 3],
    ["FILE_LOCKED", 3],
    ["CLOSED", 3],
    ["BACKEND", 3],
  ] as const)("%s is exit code %i", async (code, exitCode) => {
    const result = await runWith(["get", "a"], { store: failing(new StoreError(code, "so it is", { key: "a" })) });
    expect(result).toMatchObject({ exitCode, stdout: "" });
    expect(result.stderr).toMatch(new RegExp(`^kvasir: ${code}: so it is \\(key "a"\\)\\n`));
  });

  test("credentials and control characters in a message do not reach the terminal", async () => {
    const error = new StoreError("UNREACHABLE", "no answer\u001b[2J", {
      endpoint: "http://u:s3cret@h:1",
      backend: "b",
    });
    const { stderr } = await runWith(["get", "a"], { store: failing(error) });
    expect(stderr).toContain("no answer\\x1b[2J (b at http://***@h:1)");
  });

  test("the store is closed also when the work fails, and the first error is the one that is told", async () => {
    let closed = 0;
    const store = {
      ...failing(new Error("the first")),
      close: () => {
        closed += 1;
        return Promise.reject(new Error("the second"));
      },
    };
    const { exitCode, stderr } = await runWith(["get", "a"], { store });
    expect(closed).toBe(1);
    expect(exitCode).toBe(3);
    expect(stderr).toBe("kvasir: the first\n");
  });
});

import { once } from "node:events";
import { open, readdir, stat } from "node:fs/promises";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { open as openBolt } from "../../src/bolt/engine/index.js";
import { bash, kvasir, newStore, start } from "./cli-support.js";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

/** A file with nested buckets, an inline one, and names and values that are not UTF-8. */
async function newBoltFile() {
  const store = await newStore();
  const db = await openBolt(store.file);
  await db.update((tx) => {
    const users = tx.createBucket("users");
    for (let index = 0; index < 2_000; index++) users.put(bytes(`user${index}`), bytes(`value ${index}`));
    const settings = users.createBucket("settings");
    settings.put(bytes("colour"), bytes("blue"));
    settings.put(new Uint8Array([0xff, 0]), new Uint8Array([0xfe]));
    settings.setSequence(7n);
    tx.createBucket("empty");
  });
  await db.close();
  return store;
}

async function damage(file: string, offset: number): Promise<void> {
  const handle = await open(file, "r+");
  await handle.write(new Uint8Array(16).fill(0x78), 0, 16, offset);
  await handle.close();
}

describe("bolt check", () => {
  test("a sound file is exit code 0", async () => {
    const { file } = await newBoltFile();
    expect(await kvasir(["bolt", "check", file])).toEqual({ exitCode: 0, stdout: "sound\n", stderr: "" });
  });

  test("a damaged one is exit code 1, with the pages", async () => {
    const { file } = await newBoltFile();
    await damage(file, 8 * 4_096);
    const checked = await kvasir(["bolt", "check", file]);
    expect(checked.exitCode).toBe(1);
    expect(checked.stdout).toMatch(/^page 8: .*\n(.*\n)*\d+ problems?\n$/);
    const lines = (await kvasir(["bolt", "check", file, "--json"])).stdout.trim().split("\n");
    const problems = lines.map((text) => JSON.parse(text) as Record<string, unknown>);
    expect(problems[0]).toMatchObject({ pageId: 8 });
    expect(problems.at(-1)).toEqual({ file, sound: false, problems: problems.length - 1 });
  });

  test("one that cannot even be opened is damaged, one that is not there is not", async () => {
    const { file } = await newBoltFile();
    // The magic number of either meta page.
    await damage(file, 16);
    await damage(file, 4_096 + 16);
    const checked = await kvasir(["bolt", "check", file]);
    expect(checked).toMatchObject({ exitCode: 1 });
    expect(checked.stdout).toContain("neither meta page");
    const missing = await kvasir(["bolt", "check", `${file}.not`]);
    expect(missing).toMatchObject({ exitCode: 3, stdout: "" });
  });
});

describe("bolt dump and stats", () => {
  test("dump prints buckets and keys, nested ones too", async () => {
    const { file } = await newBoltFile();
    const settings = await kvasir(["bolt", "dump", file, "users", "settings"]);
    expect(settings.stdout.trim().split("\n")).toEqual([
      '{"bucket":["users","settings"],"sequence":"7"}',
      '{"bucket":["users","settings"],"key":"colour","value":"blue"}',
      '{"bucket":["users","settings"],"key":{"base64":"/wA="},"base64":"/g=="}',
    ]);
    const all = (await kvasir(["bolt", "dump", file])).stdout.trim().split("\n");
    expect(all).toHaveLength(3 + 2_000 + 2);
    expect(all[0]).toBe('{"bucket":["empty"],"sequence":"0"}');
    expect((await kvasir(["bolt", "dump", file, "--keys"])).stdout).not.toContain("blue");
    expect(await kvasir(["bolt", "dump", file, "users", "nope"])).toMatchObject({ exitCode: 1, stdout: "" });
  });

  test("stats counts pages and keys", async () => {
    const { file } = await newBoltFile();
    const stats = JSON.parse((await kvasir(["bolt", "stats", file, "--json"])).stdout) as {
      bytes: number;
      buckets: { name: string; keys: number }[];
    };
    expect(stats).toMatchObject({ pageSize: 4_096, bytes: (await stat(file)).size });
    expect(stats.buckets.map(({ name }) => name)).toEqual(["empty", "users"]);
    expect(stats.buckets[1]!.keys).toBeGreaterThanOrEqual(2_002);
    expect((await kvasir(["bolt", "stats", file])).stdout).toMatch(/^size +[\d,]+ bytes\npages +/);
  });
});

describe("bolt compact and backup", () => {
  test("make sound files with the same content, and replace none unless told", async () => {
    const { folder, file } = await newBoltFile();
    const dump = (await kvasir(["bolt", "dump", file])).stdout;
    for (const command of ["compact", "backup"]) {
      const target = path.join(folder, `${command}.db`);
      expect(await kvasir(["bolt", command, file, target])).toMatchObject({ exitCode: 0, stderr: "" });
      expect(await kvasir(["bolt", "check", target])).toMatchObject({ exitCode: 0 });
      expect((await kvasir(["bolt", "dump", target])).stdout).toBe(dump);
      const again = await kvasir(["bolt", command, file, target]);
      expect(again.exitCode).toBe(2);
      expect(again.stderr).toContain("is there already");
      expect(await kvasir(["bolt", command, file, target, "--force"])).toMatchObject({ exitCode: 0 });
    }
    expect((await readdir(folder)).sort()).toEqual(["app.db", "backup.db", "compact.db"]);
  });

  test("compact makes a file smaller that was emptied", async () => {
    const { folder, file } = await newBoltFile();
    const db = await openBolt(file);
    await db.update((tx) => tx.deleteBucket("users"));
    await db.close();
    const target = path.join(folder, "small.db");
    const { stdout } = await kvasir(["bolt", "compact", file, target, "--json"]);
    const { before, after } = JSON.parse(stdout) as { before: number; after: number };
    expect(before).toBe((await stat(file)).size);
    expect(after).toBe((await stat(target)).size);
    expect(after).toBeLessThan(before / 2);
  });

  test("a target that cannot be written leaves nothing behind", async () => {
    const { folder, file } = await newBoltFile();
    for (const command of ["compact", "backup"]) {
      const result = await kvasir(["bolt", command, file, path.join(folder, "no", "such", "folder.db")]);
      expect(result).toMatchObject({ exitCode: 3, stdout: "" });
      expect(result.stderr.trim().split("\n").length).toBeLessThanOrEqual(2);
    }
    expect(await readdir(folder)).toEqual(["app.db"]);
  });

  test("a file that a program holds open is explained", async () => {
    const { folder, file } = await newBoltFile();
    const db = await openBolt(file);
    try {
      const target = path.join(folder, "backup.db");
      const result = await kvasir(["bolt", "backup", file, target, "--timeout", "200ms"]);
      expect(result).toMatchObject({ exitCode: 3, stdout: "" });
      expect(result.stderr).toMatch(
        /^kvasir: FILE_LOCKED: .*app\.db is open for writing in another process\n.*--timeout/,
      );
      expect(await readdir(folder)).toEqual(["app.db"]);
    } finally {
      await db.close();
    }
  });

  test("a watch from the command line does not keep a backup from the file", async () => {
    const { folder, url, file } = await newStore();
    await kvasir(["put", "a", "b"], { url });
    const watch = start(["watch", "a"], { url });
    await watch.untilPrinted("put\ta\tb\n");
    const target = path.join(folder, "backup.db");
    expect(await kvasir(["bolt", "backup", file, target])).toMatchObject({ exitCode: 0, stderr: "" });
    watch.child.kill("SIGINT");
    await once(watch.child, "close");
    expect(await kvasir(["get", "a"], { url: `bolt:${target}` })).toMatchObject({ stdout: "b" });
  });
});

describe("completion", () => {
  test("bash completes commands, their options and fixed words", async () => {
    const complete = async (...words: string[]): Promise<string[]> => {
      const quoted = words.map((word) => `'${word}'`).join(" ");
      const script = `source <(kvasir completion bash); COMP_WORDS=(kvasir ${quoted}); COMP_CWORD=${words.length}; _kvasir; printf '%s\\n' "\${COMPREPLY[@]}"`;
      const { stdout, stderr } = await bash(script);
      expect(stderr).toBe("");
      return stdout.trim().split("\n");
    };
    expect(await complete("e")).toEqual(["exists", "elect", "export"]);
    expect(await complete("--url", "bolt:x", "de")).toEqual(["delete"]);
    expect(await complete("bolt", "c")).toEqual(["check", "compact"]);
    expect(await complete("put", "key", "--if")).toEqual(["--if-absent", "--if-revision"]);
    expect(await complete("completion", "")).toEqual(["bash", "zsh", "fish"]);
    expect(await complete("put", "--ttl", "")).toEqual([""]);
    expect(await complete("lock", "key", "--", "--")).toEqual([""]);
  });
});

import { writeFile } from "node:fs/promises";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { bash, kvasir, newStore, start } from "./cli-support.js";

const line = (key: string, value: string): string => `${JSON.stringify({ key, value })}\n`;

describe("export and import", () => {
  test("carry text, binary, empty and odd values, to the same keys or others", async () => {
    const { folder, url } = await newStore();
    const lines = [
      '{"key":"app/binary","base64":"AAH//g=="}',
      '{"key":"app/bom","value":"\ufeffx"}',
      '{"key":"app/empty","value":""}',
      '{"key":"app/lines","value":"a\\nb\\r\\n"}',
      '{"key":"app/中/é","value":"ü"}',
      '{"key":"appX","value":"sibling"}',
    ];
    const exported = `${lines.join("\n")}\n`;
    const imported = await kvasir(["import", "--json"], { url, input: exported });
    expect(imported).toEqual({ exitCode: 0, stdout: '{"written":6,"skipped":0}\n', stderr: "" });
    expect((await kvasir(["export"], { url })).stdout).toBe(exported);
    const below = await kvasir(["export", "/app/", "--relative"], { url });
    expect(below.stdout).toBe(lines.slice(0, 5).join("\n").replaceAll('"app/', '"') + "\n");
    await writeFile(path.join(folder, "below.ndjson"), below.stdout);
    await kvasir(["import", "below.ndjson", "--prefix", "copy/of"], { url, cwd: folder });
    expect((await kvasir(["export", "copy/of", "--relative"], { url })).stdout).toBe(below.stdout);
  });

  test("takes what an editor may have added, and of a key given twice the last", async () => {
    const { url } = await newStore();
    const input = `\ufeff${line("a", "1").replace("\n", "\r\n")}\n  \n${line("b", "2")}${line("a", "3").trimEnd()}`;
    expect(await kvasir(["import"], { url, input })).toMatchObject({ exitCode: 0, stderr: "" });
    expect((await kvasir(["list"], { url })).stdout).toBe("a\t3\nb\t2\n");
  });

  test("--if-absent leaves what is there, and of a key given twice the first", async () => {
    const { url } = await newStore();
    await kvasir(["put", "a", "mine"], { url });
    const input = line("a", "1") + line("b", "2") + line("b", "3");
    const result = await kvasir(["import", "--if-absent", "--json"], { url, input });
    expect(result.stdout).toBe('{"written":1,"skipped":2}\n');
    expect((await kvasir(["list"], { url })).stdout).toBe("a\tmine\nb\t2\n");
  });

  test.each([
    ["not json", "not json\n", "it is not JSON"],
    ["bytes that are not UTF-8", Buffer.from([0xff, 0x0a]), "it is not UTF-8"],
    ["a field that would be lost", '{"key":"x","value":"y","ttlMs":5}\n', '"ttlMs"'],
    ["no value", '{"key":"x"}\n', 'one of "value" and "base64"'],
    ["a line cut short", '{"key":"x","val', "it is not JSON"],
  ])("%s ends the import with the line's number; those before it are written", async (_name, bad, reason) => {
    const { url } = await newStore();
    const before = Array.from({ length: 1_200 }, (_, index) => line(`k/${index}`, "v")).join("");
    const input = Buffer.concat([Buffer.from(before), Buffer.from(bad), Buffer.from(line("after", "v"))]);
    const result = await kvasir(["import"], { url, input });
    expect(result.exitCode).toBe(2);
    expect(result.stderr).toContain(`kvasir: line 1201 cannot be used: `);
    expect(result.stderr).toContain(reason);
    expect(result.stderr).toContain("1200 keys were written");
    const keys = (await kvasir(["list", "--keys"], { url })).stdout.trim().split("\n");
    expect(keys).toHaveLength(1_200);
    expect(keys).not.toContain("after");
  });

  test("a key that cannot be is told with its line, and the file's name where it is not there", async () => {
    const { folder, url } = await newStore();
    const bad = await kvasir(["import"], { url, input: line("ok", "1") + line("a/../b", "2") });
    expect(bad.exitCode).toBe(2);
    expect(bad.stderr).toMatch(/line 2 was not written: INVALID_KEY/);
    const missing = await kvasir(["import", "missing.ndjson"], { url, cwd: folder });
    expect(missing.exitCode).toBe(3);
    expect(missing.stderr).toMatch(/missing\.ndjson.*\nCheck the path/);
  });

  test("Ctrl-C ends a wait for input and tells how far it came", async () => {
    const { url } = await newStore();
    const shared = `${url}?shared=true`;
    const input = line("a", "1") + line("b", "2");
    const running = start(["import"], { url: shared, input, inputStaysOpen: true });
    const watch = start(["watch", "b", "--limit", "2"], { url: shared });
    await watch.untilPrinted("put\tb");
    running.child.kill("SIGINT");
    const { exitCode, stderr } = await running.done;
    expect(exitCode).toBe(130);
    expect(stderr).toContain("ended by SIGINT; 2 keys were written");
  });

  test("60 MB go through a process that has 48 MB of heap, to a reader that waits", async () => {
    const { folder, url } = await newStore();
    const make = `let s="";for(let i=0;i<60000;i++){s+=JSON.stringify({key:"k/"+String(i).padStart(6,"0"),value:"v".repeat(1000)})+"\\n"}process.stdout.write(s)`;
    const script = `
      "${process.execPath}" -e '${make}' > in.ndjson
      NODE_OPTIONS="$LIMIT" kvasir import in.ndjson &&
      NODE_OPTIONS="$LIMIT" kvasir export | (read -r first; sleep 1; echo "$first"; cat) | cmp - in.ndjson && echo same`;
    const result = await bash(script, { url, cwd: folder, env: { LIMIT: "--max-old-space-size=48" } });
    expect(result).toEqual({ exitCode: 0, stdout: "same\n", stderr: "" });
  }, 180_000);
});

describe("cp", () => {
  async function twoStores() {
    const from = await newStore();
    const to = await newStore();
    const input = line("a/same", "1") + line("a/changed", "new") + line("a/created", "3") + line("b/other", "4");
    await kvasir(["import"], { url: from.url, input });
    const others = line("a/same", "1") + line("a/changed", "old") + line("a/only-here", "5");
    await kvasir(["import"], { url: to.url, input: others });
    return { from: from.url, to: to.url };
  }

  test("a dry run tells what it would do and does nothing", async () => {
    const { from, to } = await twoStores();
    const before = (await kvasir(["export"], { url: to })).stdout;
    const dry = await kvasir(["cp", from, to, "--dry-run"]);
    expect(dry).toMatchObject({ exitCode: 0, stdout: "change\ta/changed\ncreate\ta/created\ncreate\tb/other\n" });
    const json = await kvasir(["cp", from, to, "a", "--dry-run", "--delete", "--json"]);
    expect(json.stdout.split("\n")).toContain('{"action":"delete","key":"a/only-here"}');
    expect((await kvasir(["export"], { url: to })).stdout).toBe(before);
    const { file, url } = await newStore();
    expect((await kvasir(["cp", from, url, "a", "--dry-run"])).stdout.split("\n")).toHaveLength(4);
    expect(await bash(`ls ${file}`)).toMatchObject({ stdout: "" });
  });

  test("copies what differs, deletes only when told to, and verifies", async () => {
    const { from, to } = await twoStores();
    const copied = await kvasir(["cp", from, to, "--verify", "--json"]);
    expect(copied).toMatchObject({ exitCode: 0, stderr: "" });
    expect(JSON.parse(copied.stdout)).toEqual({ created: 2, changed: 1, same: 1, deleted: 0, verified: true });
    expect(await kvasir(["exists", "a/only-here"], { url: to })).toMatchObject({ exitCode: 0 });
    const again = await kvasir(["cp", from, to, "--delete", "--verify"]);
    expect(again.stdout).toBe("0 created, 0 changed, 4 the same, 1 deleted; verified\n");
    expect((await kvasir(["export"], { url: to })).stdout).toBe((await kvasir(["export"], { url: from })).stdout);
  });

  test("copies one directory, and between two buckets of one file", async () => {
    const { from, to } = await twoStores();
    expect((await kvasir(["cp", from, to, "b"])).stdout).toBe("1 created, 0 changed, 0 the same, 0 deleted\n");
    const copy = await kvasir(["cp", from, `${from}?bucket=copy`, "--verify"]);
    expect(copy.stdout).toBe("4 created, 0 changed, 0 the same, 0 deleted; verified\n");
    expect((await kvasir(["get", "b/other"], { url: `${from}?bucket=copy` })).stdout).toBe("4");
  });

  test("a source that is not there is not an empty one", async () => {
    const { from } = await twoStores();
    const { url } = await newStore();
    const result = await kvasir(["cp", url, from, "--delete"]);
    expect(result.exitCode).toBe(3);
    expect((await kvasir(["list", "--keys"], { url: from })).stdout.trim().split("\n")).toHaveLength(4);
  });
});

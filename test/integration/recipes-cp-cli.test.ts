import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { kvasir, newStore } from "./cli-support.js";
import { recipeBackends, type RunningBackend } from "./recipes-backends.js";

const shared = recipeBackends.filter((backend) => backend.shared && !backend.skipped);
const running = new Map<string, RunningBackend>();

beforeAll(async () => {
  for (const backend of shared) running.set(backend.name, await backend.start());
});

afterAll(async () => {
  for (const each of running.values()) await each.close();
});

const urlOf = (name: string): string => running.get(name)!.directUrl!;
/** Each to the one after it in the list, and the last to the first. */
const pairs = shared.map((from, at) => [from.name, shared[(at + 1) % shared.length]!.name] as const);

/** Text and nothing, which every store takes; and bytes, and a key with keys below it, where both stores do. */
function treeFor(...stores: readonly string[]): { readonly lines: string; readonly count: number } {
  const everywhere = [
    '{"key":"app/dir/key","value":"x"}',
    '{"key":"app/empty","value":""}',
    '{"key":"app/text","value":"é中"}',
  ];
  const further = ['{"key":"app/binary","base64":"AAH//g=="}', '{"key":"app/dir","value":"and below"}'];
  const lines = stores.includes("etcd2") ? everywhere : [...further, ...everywhere];
  return { lines: `${lines.join("\n")}\n`, count: lines.length };
}

describe("kvasir cp", () => {
  test.each(pairs)("from %s to %s: a dry run, a copy, the same, and what changed", async (from, to) => {
    const directory = `from-${from}`.replaceAll(" ", "-");
    const [source, target] = [urlOf(from), urlOf(to)];
    const many = Array.from({ length: 500 }, (_, index) => `{"key":"many/${index}","value":"${index}"}\n`).join("");
    const { lines, count: others } = treeFor(from, to);
    const count = 500 + others;
    const input = (lines + many).replaceAll('"key":"', `"key":"${directory}/`);
    await kvasir(["import"], { url: source, input });

    const dry = await kvasir(["cp", source, target, directory, "--dry-run"]);
    expect(dry.exitCode).toBe(0);
    expect(dry.stdout.split("\n").filter((line) => line.startsWith("create\t"))).toHaveLength(count);
    expect((await kvasir(["list", directory], { url: target })).stdout).toBe("");

    const copied = await kvasir(["cp", source, target, directory, "--verify", "--json"]);
    expect(copied).toMatchObject({ exitCode: 0, stderr: "" });
    expect(JSON.parse(copied.stdout)).toEqual({ created: count, changed: 0, same: 0, deleted: 0, verified: true });
    const exported = await kvasir(["export", directory], { url: target });
    expect(exported.stdout).toBe((await kvasir(["export", directory], { url: source })).stdout);

    await kvasir(["put", `${directory}/app/text`, "another"], { url: target });
    await kvasir(["put", `${directory}/app/only-here`, "x"], { url: target });
    const again = await kvasir(["cp", source, target, directory, "--delete", "--verify"]);
    expect(again.stdout).toBe(`0 created, 1 changed, ${count - 1} the same, 1 deleted; verified\n`);
  });

  test.skipIf(!shared.some(({ name }) => name === "consul"))(
    "a dry run tells what the other store could not hold, and the copy says which key it was",
    async () => {
      const { url } = await newStore();
      await kvasir(["put", "big/value"], { url, input: Buffer.alloc(400_000, 1) });
      await kvasir(["put", "big/small", "x"], { url });
      const dry = await kvasir(["cp", url, urlOf("consul"), "big", "--dry-run"]);
      expect(dry).toMatchObject({
        exitCode: 1,
        stdout: "create\tbig/small\nrefuse\tbig/value\tthe value is 400000 bytes; consul takes at most 391000\n",
      });
      const copied = await kvasir(["cp", url, urlOf("consul"), "big"]);
      expect(copied.exitCode).toBe(2);
      expect(copied.stderr).toMatch(/VALUE_TOO_LARGE.*"big\/value"/);
    },
  );
});

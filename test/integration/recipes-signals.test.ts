import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test } from "vitest";

/** What the program printed, and how it ended, after one SIGTERM. */
async function terminated(mode: string): Promise<{ printed: string[]; code: number | null; signal: string | null }> {
  const program = fileURLToPath(new URL("recipes-signals-child.ts", import.meta.url));
  const child = spawn(process.execPath, ["--import", "tsx", program, mode], { stdio: ["ignore", "pipe", "inherit"] });
  onTestFinished(() => void child.kill("SIGKILL"));
  let printed = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    printed += text;
    if (text.includes("ready")) child.kill("SIGTERM");
  });
  const [code, signal] = (await once(child, "close")) as [number | null, string | null];
  return { printed: printed.trim().split("\n"), code, signal };
}

test("a program without a handler of its own ends by the signal, after everything was deregistered", async () => {
  expect(await terminated("alone")).toEqual({
    printed: ["ready", "b is closed", "a is closed"],
    code: null,
    signal: "SIGTERM",
  });
});

test("a program that listens for the signal itself, even once only, ends as it wants", async () => {
  expect(await terminated("once")).toEqual({
    printed: ["ready", "b is closed", "a is closed", "the program's own end"],
    code: 7,
    signal: null,
  });
});

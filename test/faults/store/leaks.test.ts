import { expect, it } from "vitest";
import { Child, temporaryFolder } from "./support.js";

const file = temporaryFolder();
const watches = 100_000;
const calls = 1_000_000;
const locks = 5_000;
/** A leak of 50 bytes a watch, or 5 a call, would show. */
const boundBytes = 5 * 1024 * 1024;

interface Left {
  readonly before: number;
  readonly afterWatches: number;
  readonly afterCalls: number;
  readonly afterLocks: number;
  readonly listeners: number;
  readonly resources: readonly string[];
}

it.each([{ url: "memory:" }, { url: `bolt:${file("leaks.db")}` }])(
  `${watches} watches, ${calls} calls and ${locks} locks on $url leave nothing behind`,
  { timeout: 600_000 },
  async ({ url }) => {
    const child = new Child("./leaks-child.ts", [url, ...[watches, calls, locks].map(String)], ["--expose-gc"]);
    const left = JSON.parse(await child.line()) as Left;
    console.log(JSON.stringify({ url, ...left }));
    expect(left.afterWatches - left.before).toBeLessThan(boundBytes);
    expect(left.afterCalls - left.before).toBeLessThan(boundBytes);
    expect(left.afterLocks - left.before).toBeLessThan(boundBytes);
    expect(left.listeners).toBe(0);
    expect(left.resources).toEqual([]);
    await child.exited;
    expect(child.process.exitCode).toBe(0);
  },
);

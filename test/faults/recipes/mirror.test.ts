import { describe, expect, it } from "vitest";
import type { Store } from "../../../src/core/store.js";
import { createMirror, type Mirror } from "../../../src/recipes/index.js";
import { recipeBackends, type RunningBackend } from "../../integration/recipes-backends.js";
import { waitUntil } from "../../servers/index.js";

/** How soon after an outage a mirror is current again, in milliseconds, as docs/mirror.md says. */
const backMs = 5_000;
/** How soon a mirror finds that its server has gone quiet: its question every 5 s, and 5 s for the answer. */
const noticedMs = 11_000;

async function inState(mirror: Mirror<string>, stale: boolean, timeoutMs: number): Promise<void> {
  const what = stale ? "the mirror is stale" : "the mirror is current";
  await waitUntil(what, async () => mirror.stale === stale, { timeoutMs, intervalMs: 5 });
}

async function withMirror(
  running: RunningBackend,
  body: (mirror: Mirror<string>, direct: Store) => Promise<void>,
): Promise<void> {
  try {
    const direct = await running.openDirect();
    await direct.put("config/a", "before");
    await direct.put("config/gone", "before");
    const mirror = createMirror(await running.open(), "config");
    await mirror.ready;
    await body(mirror, direct);
    mirror.close();
  } finally {
    await running.close();
  }
}

async function change(direct: Store): Promise<void> {
  await direct.put("config/a", "after");
  await direct.delete("config/gone");
  await direct.put("config/new", "after");
}

const shown = (mirror: Mirror<string>): string =>
  mirror
    .list()
    .map(({ key, value }) => `${key}=${value}`)
    .join();

const usable = recipeBackends.filter((backend) => !backend.skipped);

describe.each(usable.filter(({ name, served }) => served || name === "memory"))("a mirror on $name", (backend) => {
  it("is stale while it is cut off, and current again only with everything that it missed", async () => {
    const running = await backend.start();
    await withMirror(running, async (mirror, direct) => {
      const atReturn: string[] = [];
      for (let round = 0; round < 3; round++) {
        running.cutOff();
        await inState(mirror, true, 5_000);
        const before = shown(mirror);
        await direct.put("config/a", `round ${round}`);
        await direct.put(`config/${round}`, "new");
        expect(shown(mirror)).toBe(before);
        const unsubscribe = mirror.onStateChange(({ state }) => {
          if (state === "current") atReturn.push(shown(mirror));
        });
        await running.reconnect();
        await inState(mirror, false, backMs);
        unsubscribe();
        const pairs = await direct.list("config");
        expect(atReturn.at(-1)).toBe(pairs.map((pair) => `${pair.key}=${pair.text()}`).join());
      }
      // And it follows again.
      await direct.put("config/a", "later");
      await waitUntil("it follows", async () => mirror.get("config/a") === "later", { timeoutMs: 5_000 });
    });
  });
});

describe.each(usable.filter(({ served }) => served))("a mirror on $name", (backend) => {
  it("is stale when its server has gone quiet, and current again when it answers", async () => {
    const running = await backend.start();
    await withMirror(running, async (mirror, direct) => {
      running.proxy!.stall();
      await change(direct);
      await inState(mirror, true, noticedMs);
      running.proxy!.resume();
      await inState(mirror, false, backMs);
      expect(shown(mirror)).toBe("config/a=after,config/new=after");
    });
  });

  it("survives a server that is killed, and one that comes back empty", async () => {
    const running = await backend.start();
    await withMirror(running, async (mirror, direct) => {
      await running.member!.kill();
      await inState(mirror, true, 5_000);
      expect(mirror.get("config/a")).toBe("before");
      await running.member!.start();
      await inState(mirror, false, backMs);
      await change(direct);
      await waitUntil("it follows", async () => shown(mirror) === "config/a=after,config/new=after", {
        timeoutMs: 5_000,
      });
      await running.member!.restart({ emptyData: true });
      await waitUntil("it is empty", async () => mirror.size === 0 && !mirror.stale, { timeoutMs: 10_000 });
    });
  });
});

import { sleep } from "../../src/util/sleep.js";

/**
 * Asks again every `intervalMs` until `check` returns something other than undefined and false; what it throws counts as
 * "not yet". Throws after `timeoutMs`, naming what was waited for and the last thing thrown.
 */
export async function waitUntil<T>(
  what: string,
  check: () => Promise<T | undefined | false>,
  options: { timeoutMs: number; intervalMs?: number | undefined; giveUp?: (() => string | undefined) | undefined },
): Promise<T> {
  const deadline = performance.now() + options.timeoutMs;
  let lastError = "";
  for (;;) {
    try {
      const result = await check();
      if (result !== undefined && result !== false) return result;
    } catch (error) {
      lastError = `: ${(error as Error).message}`;
    }
    const reason = options.giveUp?.();
    if (reason !== undefined) throw new Error(`${what}: ${reason}`);
    if (performance.now() >= deadline) throw new Error(`${what}: not within ${options.timeoutMs} ms${lastError}`);
    await sleep(options.intervalMs ?? 25);
  }
}

import type { Clock } from "./clock.js";

/** Waits until the work is over, well or badly, but not longer than `limitMs`. Never rejects. */
export function settledWithin(work: Promise<unknown>, limitMs: number, clock: Clock): Promise<void> {
  return new Promise((resolve) => {
    const timer = clock.after(limitMs, resolve);
    const done = (): void => {
      timer.cancel();
      resolve();
    };
    work.then(done, done);
  });
}

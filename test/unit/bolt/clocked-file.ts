import { onTestFinished } from "vitest";
import { BoltFile } from "../../../src/bolt/bolt-file.js";
import { BoltDriver } from "../../../src/bolt/driver.js";
import { ManagedStore } from "../../../src/core/managed-store.js";
import { ShiftedClock } from "../../../src/util/shifted-clock.js";

/** A clock that is moved forward by hand, and whose time of day can be set apart from that. */
export class SettableClock extends ShiftedClock {
  #setByMs = 0;

  override wallTime(): number {
    return super.wallTime() + this.#setByMs;
  }

  /** Sets the time of day, as by hand or by NTP; how long things take is not touched. */
  setForward(byMs: number): void {
    this.#setByMs += byMs;
  }
}

/** A store on a file that only it has open, by a clock of the test's. Closed when the test is over. */
export async function openByClock(path: string): Promise<{ store: ManagedStore; clock: SettableClock }> {
  const clock = new SettableClock();
  const file = await BoltFile.open(path, {}, { clock, bootClock: { boot: "this boot", now: () => clock.now() } });
  const session = await file.session("kvasir", { deadline: Number.POSITIVE_INFINITY });
  const store = new ManagedStore(new BoltDriver(file, session), { clock });
  onTestFinished(() => store.close());
  return { store, clock };
}

/** Lets `ttls` times the ttl pass, in steps that leave time to renew; `settle` waits for what a step has started. */
export async function passTtls(
  clock: SettableClock,
  ttlMs: number,
  ttls: number,
  settle?: () => Promise<unknown>,
): Promise<void> {
  for (let step = 0; step < ttls * 10; step++) {
    await clock.advance(ttlMs / 10);
    await settle?.();
  }
}

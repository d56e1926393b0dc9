import type { Request } from "../core/driver.js";
import { Backoff } from "../util/backoff.js";
import { sleep } from "../util/sleep.js";
import type { Ensemble } from "./ensemble.js";
import { isPassing } from "./errors.js";

/** How long one attempt may take, in milliseconds. */
const attemptMs = 5_000;

/**
 * Gives something back that belongs to a session, which does no harm when it is done twice. A session that goes on would
 * keep it alive for good, so where the server cannot be reached in time the attempts go on without anybody waiting, until
 * the session is over.
 */
export async function nowOrLater(
  ensemble: Ensemble,
  session: bigint,
  request: Request,
  attempt: (request: Request) => Promise<void>,
): Promise<void> {
  const { clock } = ensemble;
  const backoff = createBackoff();
  for (;;) {
    try {
      return await attempt(request);
    } catch (error) {
      if (!isPassing(error)) throw error;
      const pauseMs = backoff.next();
      if (clock.now() + pauseMs >= request.deadline) {
        void untilDone(ensemble, session, attempt);
        throw error;
      }
      await sleep(pauseMs, { clock });
    }
  }
}

/** Tries until it is done, or the session is over. Never rejects. */
export async function untilDone(
  ensemble: Ensemble,
  session: bigint | undefined,
  attempt: (request: Request) => Promise<void>,
): Promise<void> {
  const { client, clock, pastSessions } = ensemble;
  const backoff = createBackoff();
  const isOver = (): boolean => client.state.name === "closed" || (session !== undefined && pastSessions.has(session));
  while (!isOver()) {
    try {
      return await attempt({ deadline: clock.now() + attemptMs });
    } catch (error) {
      if (!isPassing(error)) return;
    }
    // Nobody waits for it, so it keeps no process running.
    await new Promise<void>((resolve) => clock.after(backoff.next(), resolve, { keepAlive: false }));
  }
}

function createBackoff(): Backoff {
  return new Backoff({ initialMs: 20, maximumMs: 2_000 });
}

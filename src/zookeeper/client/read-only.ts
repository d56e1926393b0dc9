import { Backoff } from "../../util/backoff.js";
import type { Clock } from "../../util/clock.js";
import { sleep } from "../../util/sleep.js";
import { dial, type DialOptions } from "./dial.js";
import type { HostRing, Server } from "./hosts.js";

/** How long one server may take to say whether it is read-only. */
const answerTimeoutMs = 1_000;

/** Asks a server by the four-letter word `isro` (since 3.4), which it answers with `rw` or `ro` and closes. */
async function isWritable(server: Server, options: DialOptions, signal: AbortSignal): Promise<boolean> {
  const socket = await dial(server, options, signal);
  return new Promise((resolve) => {
    let answer = "";
    socket.setTimeout(answerTimeoutMs, () => socket.destroy());
    socket.on("data", (chunk: Buffer) => {
      answer += chunk.toString("latin1");
      if (answer.length >= 2) socket.destroy();
    });
    socket.on("error", () => {});
    socket.on("close", () => resolve(answer.startsWith("rw")));
    socket.write("isro");
  });
}

/** Looks for a server that takes writes until there is one; rejects with the signal's reason. */
export async function findWritable(
  ring: HostRing,
  options: DialOptions & { readonly clock: Clock },
  signal: AbortSignal,
): Promise<Server> {
  const backoff = new Backoff({ initialMs: 200, maximumMs: 60_000 });
  for (;;) {
    await sleep(backoff.next(), { signal, clock: options.clock });
    const server = ring.next();
    const attempt = new AbortController();
    const onAbort = (): void => attempt.abort(signal.reason);
    signal.addEventListener("abort", onAbort, { once: true });
    const timer = options.clock.after(answerTimeoutMs, () => attempt.abort(new Error("no answer")));
    try {
      if (await isWritable(server, options, attempt.signal)) return server;
    } catch {
      signal.throwIfAborted();
    } finally {
      timer.cancel();
      signal.removeEventListener("abort", onAbort);
    }
  }
}

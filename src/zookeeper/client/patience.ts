/** The first attempt to connect may take so long, in milliseconds, where that is no more than a third of the session's timeout. */
const firstMs = 2_000;
/** No attempt is given up earlier. */
const leastMs = 1_000;

/**
 * How long an attempt to connect may take, in milliseconds: twice as long after each of those before it, `unanswered` in a
 * row, that was left without an answer. Servers that are only just starting now and then accept a connection and forget it,
 * and an attempt that waited for as long as the session lives would lose it. But a busy one needs its time: so at last an
 * attempt gets the session's timeout, divided among the servers.
 */
export function patienceMs(sessionTimeoutMs: number, servers: number, unanswered: number): number {
  const first = Math.max(leastMs, Math.min(sessionTimeoutMs / 3, firstMs));
  return Math.min(first * 2 ** unanswered, Math.max(leastMs, sessionTimeoutMs / servers));
}

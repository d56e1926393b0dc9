import type { Connection } from "./connection.js";
import { Xid } from "./records.js";
import type { WatchPaths } from "./records.js";
import { Request } from "./request.js";
import { setWatchesOperation } from "./session-operations.js";
import type { Zxid } from "./stat.js";
import type { WatchRegistry } from "./watches.js";

/** Sets watches that were set before: what changed since the transaction `lastZxid` is told at once. */
export function setWatchesAgain(
  connection: Connection,
  watches: WatchRegistry,
  paths: WatchPaths,
  lastZxid: bigint,
  now: number,
): Promise<void> {
  const args = { lastZxid, paths, level: connection.level };
  const request = new Request(setWatchesOperation, args, undefined, Infinity);
  request.onAnswer = (code) => {
    if (code === 0) watches.tellRearmed(paths, connection.level >= 3.6);
  };
  connection.send(request, now, Xid.setWatches);
  return request.promise;
}

/**
 * Sets all watches on a new connection, before anything else is sent there: the server compares with the last
 * transaction that this client saw. So what the new connection sees counts only when all of them are set; otherwise a
 * connection lost in between would hide changes from those that were not.
 */
export function rearm(connection: Connection, watches: WatchRegistry, lastSeen: Zxid, now: number): void {
  const lastZxid = lastSeen.value;
  const answers: Promise<void>[] = [];
  for (const paths of watches.pathsToSet()) {
    answers.push(setWatchesAgain(connection, watches, paths, lastZxid, now));
  }
  const seenByNow = (): void => {
    lastSeen.raise(connection.lastSeen.high, connection.lastSeen.low);
    connection.lastSeen = lastSeen;
  };
  if (answers.length === 0) seenByNow();
  // When one fails the connection has ended, and the next one sets them all again.
  else Promise.all(answers).then(seenByNow, () => {});
}

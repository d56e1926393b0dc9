import { directory } from "../harness/keys.js";

/** How many of the harness's keys are on the server. */
export const benchKeys = 10_000;

/** What a list lists: all of them. */
export const listed = directory;

const siblings = (directory: string): readonly string[] =>
  Array.from({ length: 1_000 }, (_, at) => `${directory}/${at}`);

/** Keys with a watch each. Each side has its own, so that no put wakes the other side's watches. */
export const ourWatchedKeys = siblings("watched-by-us");
export const peerWatchedKeys = siblings("watched-by-peer");

/** How many of the harness's keys are on the agent. */
export const benchKeys = 10_000;

const siblings = (directory: string): readonly string[] => Array.from({ length: 500 }, (_, at) => `${directory}/${at}`);

/** Sibling keys, each watched by one watch. Each side has its own, so that no put wakes the other side's watches. */
export const ourWatchedKeys = siblings("watched-by-us");
export const peerWatchedKeys = siblings("watched-by-peer");

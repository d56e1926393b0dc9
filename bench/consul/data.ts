/** How many of the harness's keys are on the agent. */
export const benchKeys = 10_000;

/** Sibling keys, each watched by one watch. */
export const watchedKeys: readonly string[] = Array.from({ length: 500 }, (_, at) => `watched/${at}`);

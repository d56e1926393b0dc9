import { directory } from "../harness/keys.js";

/** How many of the harness's keys are on the server. */
export const benchKeys = 10_000;

/** What a list lists: all of them. */
export const listed = directory;

/** Keys with a watch each. */
export const watchedKeys: readonly string[] = Array.from({ length: 1_000 }, (_, at) => `watched/${at}`);

import { rejects } from "../assertions.js";
import type { CaseGroup } from "../case.js";
import { everyCall, forEachCall } from "./calls.js";

/** What every call does on a store that is closed, or being closed. */
export const closed: CaseGroup = {
  name: "closed store",
  cases: {
    ...forEachCall(
      everyCall,
      ({ name }) => `${name} rejects with CLOSED`,
      (call) =>
        async ({ another, within }) => {
          const store = await another();
          await store.close();
          await within(
            rejects(() => call.run(store, "k"), "CLOSED"),
            `${call.name} on a closed store`,
          );
        },
    ),
    "calls made after close() was called reject too": async ({ another, within }) => {
      const store = await another();
      const closing = store.close();
      for (const call of everyCall)
        await within(
          rejects(() => call.run(store, "k"), "CLOSED"),
          `${call.name} while closing`,
        );
      await closing;
    },
  },
};

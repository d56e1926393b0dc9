import { afterAll, beforeAll, describe } from "vitest";
import { type RecipeBackend, recipeBackends, type RunningBackend } from "../../integration/recipes-backends.js";

/**
 * The ttl of these tests, in milliseconds: the shortest that every backend takes and that a process which stands still
 * for a moment on a loaded machine does not outlast.
 */
export const ttlMs = 2_000;

/** Defines tests on each backend that `wanted` picks, with a server, or a file, for all of them. */
export function onBackends(
  wanted: (backend: RecipeBackend) => boolean,
  define: (running: () => RunningBackend, backend: RecipeBackend) => void,
): void {
  for (const backend of recipeBackends.filter(wanted)) {
    describe.skipIf(backend.skipped)(backend.name, () => {
      let running: RunningBackend;
      beforeAll(async () => {
        running = await backend.start();
      });
      afterAll(() => running.close());
      define(() => running, backend);
    });
  }
}

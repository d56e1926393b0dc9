import { NodeExistsError, type RequestOptions } from "./client/index.js";
import type { Ensemble } from "./ensemble.js";
import { parentOf } from "./paths.js";

/** Creates a guard, and the directory of all guards, where they are not there yet: the first time each is needed. */
export async function createGuard({ client, acl }: Ensemble, guard: string, bounds: RequestOptions): Promise<void> {
  await Promise.all(
    [parentOf(guard)!, guard].map((path) =>
      client.create(path, null, { ...bounds, acl }).catch((error: unknown) => {
        if (!(error instanceof NodeExistsError)) throw error;
      }),
    ),
  );
}

import { NodeExistsError, type RequestOptions } from "./client/index.js";
import type { Ensemble } from "./ensemble.js";
import { beforeWriting } from "./errors.js";
import { parentOf } from "./paths.js";

/**
 * Creates a guard, and the directory of all guards, where they are not there yet: the first time each is needed. They
 * hold nothing, and everybody may write them: whoever creates a key has to, whatever the ACL of the keys is.
 */
export async function createGuard(ensemble: Ensemble, guard: string, bounds: RequestOptions): Promise<void> {
  const { client, endpoint } = ensemble;
  const paths = [parentOf(guard)!, guard];
  const created = await Promise.allSettled(paths.map((path) => client.create(path, null, bounds)));
  for (const end of created) {
    if (end.status === "rejected" && !(end.reason instanceof NodeExistsError))
      throw beforeWriting(end.reason, endpoint);
  }
}

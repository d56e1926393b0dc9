import { NodeExistsError, NoNodeError, type RequestOptions } from "./client/index.js";
import type { Ensemble } from "./ensemble.js";
import { beforeWriting } from "./errors.js";
import { parentOf } from "./paths.js";

/**
 * Creates a guard, and the directory of all guards, where they are not there yet: the first time each is needed. They
 * hold nothing, and everybody may write them: whoever creates a key has to, whatever the ACL of the keys is.
 */
export async function createGuard(ensemble: Ensemble, guard: string, bounds: RequestOptions): Promise<void> {
  const { client, endpoint } = ensemble;
  const [directory, own] = await Promise.allSettled(
    [parentOf(guard)!, guard].map((path) => client.create(path, null, bounds)),
  );
  if (own?.status !== "rejected" || own.reason instanceof NodeExistsError) return;
  // Of a directory that is there a server may say that it may not be created.
  const missing = own.reason instanceof NoNodeError && directory?.status === "rejected";
  throw beforeWriting(missing ? directory.reason : own.reason, endpoint);
}

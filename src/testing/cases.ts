import type { CaseGroup } from "./case.js";
import { atomicDelete } from "./cases/atomic-delete.js";
import { atomicPut } from "./cases/atomic-put.js";
import { atomic } from "./cases/atomic.js";
import { canonicalKeys } from "./cases/canonical-keys.js";
import { deleteTree } from "./cases/delete-tree.js";
import { deleteKey } from "./cases/delete.js";
import { exists } from "./cases/exists.js";
import { get } from "./cases/get.js";
import { keys } from "./cases/keys.js";
import { list } from "./cases/list.js";
import { put } from "./cases/put.js";
import { revisions } from "./cases/revisions.js";
import { scan } from "./cases/scan.js";
import { update } from "./cases/update.js";
import { values } from "./cases/values.js";
import { watchLife } from "./cases/watch-life.js";
import { watchTree } from "./cases/watch-tree.js";
import { watch } from "./cases/watch.js";

/** Every group of the suite, in the order of the compatibility table. */
export const allGroups: readonly CaseGroup[] = [
  put,
  get,
  exists,
  deleteKey,
  list,
  keys,
  scan,
  deleteTree,
  atomicPut,
  atomicDelete,
  update,
  atomic,
  watch,
  watchLife,
  watchTree,
  canonicalKeys,
  values,
  revisions,
];

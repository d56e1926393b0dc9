import type { CaseGroup } from "./case.js";
import { atomicDelete } from "./cases/atomic-delete.js";
import { atomicPut } from "./cases/atomic-put.js";
import { atomic } from "./cases/atomic.js";
import { batching } from "./cases/batching.js";
import { canonicalKeys } from "./cases/canonical-keys.js";
import { capabilitiesCases } from "./cases/capabilities.js";
import { close } from "./cases/close.js";
import { deleteTree } from "./cases/delete-tree.js";
import { deleteKey } from "./cases/delete.js";
import { errors } from "./cases/errors.js";
import { exists } from "./cases/exists.js";
import { get } from "./cases/get.js";
import { keepAlive } from "./cases/keep-alive.js";
import { keys } from "./cases/keys.js";
import { list } from "./cases/list.js";
import { lockContention } from "./cases/lock-contention.js";
import { lockTime } from "./cases/lock-time.js";
import { lock } from "./cases/lock.js";
import { namespace } from "./cases/namespace.js";
import { ping } from "./cases/ping.js";
import { put } from "./cases/put.js";
import { revisions } from "./cases/revisions.js";
import { scan } from "./cases/scan.js";
import { ttl } from "./cases/ttl.js";
import { update } from "./cases/update.js";
import { values } from "./cases/values.js";
import { watchLife } from "./cases/watch-life.js";
import { watchTree } from "./cases/watch-tree.js";
import { watch } from "./cases/watch.js";
import { histories } from "./properties/histories.js";
import { interleavings } from "./properties/interleavings.js";
import { aborted } from "./traits/aborted.js";
import { badArguments } from "./traits/arguments.js";
import { busy } from "./traits/busy.js";
import { closed } from "./traits/closed.js";
import { suspended } from "./traits/suspended.js";

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
  lock,
  lockContention,
  lockTime,
  ttl,
  keepAlive,
  namespace,
  ping,
  close,
  canonicalKeys,
  values,
  revisions,
  errors,
  capabilitiesCases,
  batching,
  badArguments,
  aborted,
  closed,
  busy,
  suspended,
  histories,
  interleavings,
];

import type { Committed, Request, Transaction } from "../core/driver.js";
import { KVPair } from "../core/pair.js";
import { copyBytes } from "../util/bytes.js";
import { rangeOp, type TxnResponse } from "./client/index.js";
import type { Cluster } from "./cluster.js";
import { dropUnused, type EtcdLease, grantLease } from "./lease.js";
import { rangeIn } from "./reads.js";
import { comparison, conflict, plainOp } from "./writes.js";

/** Writes together, if every check holds, in one transaction of etcd's. */
export async function commitTransaction(
  cluster: Cluster,
  transaction: Transaction,
  request: Request,
): Promise<Committed> {
  const { keys, client } = cluster;
  const { checks, writes } = transaction;
  const leases = await grantAll(cluster, transaction, request);
  const txn = {
    compare: checks.map(({ key, expected }) => comparison(keys, key, expected)),
    success: writes.map((write, at) => plainOp(keys, write, leases[at]?.id)),
    // To name the check that failed.
    failure: checks.map(({ key }) => rangeOp({ key: keys.encode(key), keysOnly: true })),
  };
  try {
    const answer = await cluster.writing(request, async (bounds) => {
      const given = await client.kv.txn(txn, bounds);
      if (!given.succeeded) throw failedCheck(transaction, given);
      return given;
    });
    const { revision } = answer.header!;
    return writes.flatMap((write, at) => {
      if (write.type === "delete") return [];
      const lease = leases[at];
      return [{ pair: new KVPair(write.key, copyBytes(write.value), revision, lease?.ttlMs), lease }];
    });
  } catch (error) {
    await dropUnused(
      leases.filter((lease) => lease !== undefined),
      error,
    );
    throw error;
  }
}

/** A lease for each put with a ttl, at its place. */
async function grantAll(
  cluster: Cluster,
  { writes }: Transaction,
  request: Request,
): Promise<(EtcdLease | undefined)[]> {
  const granted = await Promise.allSettled(
    writes.map(async (write) =>
      write.type === "put" && write.ttlMs !== undefined ? grantLease(cluster, write.ttlMs, request) : undefined,
    ),
  );
  const failed = granted.find((result) => result.status === "rejected");
  const leases = granted.map((result) => (result.status === "fulfilled" ? result.value : undefined));
  if (failed === undefined) return leases;
  await Promise.all(leases.map(async (lease) => lease?.drop()));
  throw failed.reason;
}

function failedCheck({ checks }: Transaction, { responses }: TxnResponse) {
  const failed = checks.find(({ expected }, at) => {
    const found = rangeIn(responses[at]).kvs[0];
    return expected === "absent" ? found !== undefined : found?.modRevision !== expected.revision;
  });
  const { key, expected } = failed ?? checks[0]!;
  return conflict(key, expected);
}

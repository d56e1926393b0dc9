import type { ConsulHttp } from "./http.js";
import { ConsulError } from "./errors.js";

/**
 * The flags that libkv, valkeyrie and Go's `api.Lock` put on every key (0x2ddccbc058a50c18). Over 2^53: as a JavaScript
 * number it would be another one.
 */
export const flags = "3304740253564472344";

/** One operation of `/v1/txn` (Consul's HTTP API, "Transactions"). */
export interface KvOperation {
  readonly verb:
    | "set"
    | "cas"
    | "lock"
    | "unlock"
    | "get"
    | "get-tree"
    | "check-index"
    | "check-session"
    | "check-not-exists"
    | "delete"
    | "delete-tree";
  readonly key: string;
  readonly value?: Uint8Array | undefined;
  readonly index?: bigint | undefined;
  readonly session?: string | undefined;
}

/** An operation of which there are many: what a class makes stays among V8's young objects, as short-lived as it is. */
export class Operation implements KvOperation {
  readonly verb: KvOperation["verb"];
  readonly key: string;
  readonly value: Uint8Array | undefined;
  readonly index: bigint | undefined;

  constructor(verb: KvOperation["verb"], key: string, value?: Uint8Array, index?: bigint) {
    this.verb = verb;
    this.key = key;
    this.value = value;
    this.index = index;
  }
}

/** Whether the operation has a result in the answer; these have none, so that results are fewer than operations. */
export function hasResult({ verb }: KvOperation): boolean {
  return verb !== "delete" && verb !== "delete-tree" && verb !== "check-not-exists";
}

/** A pair as the agent tells it. */
export interface KvResult {
  readonly Key: string;
  /** Base64; null for an empty value, and after writes. */
  readonly Value: string | null;
  readonly CreateIndex: number;
  readonly ModifyIndex: number;
  readonly Session?: string | undefined;
}

/** What a transaction came to: results in the order of the operations that have one, or which of them failed; then nothing happened. */
export type TransactionOutcome =
  | { readonly results: readonly KvResult[] }
  | { readonly failures: readonly { readonly index: number; readonly what: string }[] };

/**
 * How many operations a transaction may have: 64 in Consul before 1.13, 128 since (`maxTxnOps` in agent/txn_endpoint.go).
 * The first refusal tells.
 */
export class OperationLimit {
  #most = 128;

  get most(): number {
    return this.#most;
  }

  /** Whether this error is the agent's word that it takes fewer: then the rest may be sent in smaller transactions. */
  learn(error: unknown): boolean {
    const told = error instanceof ConsulError ? /too many operations \(\d+ > (\d+)\)/i.exec(error.body ?? "") : null;
    const most = Number(told?.[1] ?? Number.NaN);
    if (!(most > 0 && most < this.#most)) return false;
    this.#most = most;
    return true;
  }
}

interface TxnAnswer {
  readonly Results: readonly { readonly KV: KvResult }[] | null;
  readonly Errors: readonly { readonly OpIndex: number; readonly What: string }[] | null;
}

/** Sends a transaction. Rejects with a `ConsulError` when it was neither carried out nor refused operation by operation. */
export async function transact(
  http: ConsulHttp,
  operations: readonly KvOperation[],
  options: {
    readonly deadline: number;
    readonly signal?: AbortSignal | undefined;
    /** For transactions that only read. */
    readonly consistency?: "consistent" | "stale" | undefined;
  },
): Promise<TransactionOutcome> {
  const reply = await http.request({
    method: "PUT",
    path: "/v1/txn",
    query: options.consistency === undefined ? undefined : { [options.consistency]: "" },
    body: encode(operations, http.keyPrefix),
    deadline: options.deadline,
    signal: options.signal,
    accept: [409],
  });
  const answer = JSON.parse(reply.body) as TxnAnswer;
  if (reply.status === 200)
    return { results: (answer.Results ?? []).map(({ KV }) => withoutPrefix(KV, http.keyPrefix)) };
  const failures = (answer.Errors ?? []).map(({ OpIndex, What }) => ({ index: OpIndex, what: What }));
  if (failures.length > 0) return { failures };
  const [endpoint = ""] = http.endpoints;
  throw new ConsulError("status", `a refused transaction names no operation: ${reply.body.slice(0, 200)}`, {
    endpoint,
    outcome: "not-applied",
    status: reply.status,
    body: reply.body,
  });
}

/** A result under the key that the caller knows. */
export function withoutPrefix(result: KvResult, prefix: string): KvResult {
  if (prefix === "") return result;
  const { Key, Value, CreateIndex, ModifyIndex, Session } = result;
  return { Key: Key.slice(prefix.length), Value, CreateIndex, ModifyIndex, Session };
}

/** By hand, for the flags' sake. */
function encode(operations: readonly KvOperation[], prefix: string): string {
  let text = "";
  for (const operation of operations) text += `${text === "" ? "" : ","}${encodeOne(operation, prefix)}`;
  return `[${text}]`;
}

function encodeOne({ verb, key, value, index, session }: KvOperation, prefix: string): string {
  let text = `{"KV":{"Verb":"${verb}","Key":${JSON.stringify(prefix + key)}`;
  if (value !== undefined) {
    const bytes = Buffer.from(value.buffer, value.byteOffset, value.length);
    text += `,"Value":"${bytes.toString("base64")}","Flags":${flags}`;
  }
  if (index !== undefined) text += `,"Index":${index}`;
  if (session !== undefined) text += `,"Session":"${session}"`;
  return `${text}}}`;
}

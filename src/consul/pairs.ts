import { KVPair } from "../core/pair.js";
import { compareKeys, isLockKey } from "../core/keys.js";
import { pooledBase64 } from "../util/bytes.js";
import type { ConsulHttp } from "./client/http.js";
import { type KvResult, withoutPrefix } from "./client/transaction.js";

/** A pair with bytes of its own. */
export function pairOf({ Key, Value, ModifyIndex }: KvResult): KVPair {
  return new KVPair(Key, pooledBase64(Value ?? ""), BigInt(ModifyIndex));
}

/** The body of a read as pairs, in the order of the bytes of their keys. */
export function pairsOf(http: ConsulHttp, body: string): KVPair[] {
  const pairs = ownOf(http, resultsOf(body)).map(pairOf);
  return pairs.sort((left, right) => compareKeys(left.key, right.key));
}

/** What the body of a read says, of any keys. */
export function resultsOf(body: string): KvResult[] {
  return body === "" ? [] : (JSON.parse(body) as KvResult[]);
}

/** Of these the results of Kvasir's keys. */
export function ownOf(http: ConsulHttp, results: readonly KvResult[]): KvResult[] {
  return results
    .map((result) => withoutPrefix(result, http.keyPrefix))
    .filter(({ Key }) => isCanonical(Key) && !isLockKey(Key));
}

/** Other programs, Consul's own interface among them, also make keys such as `folder/`: these are no keys of Kvasir's. */
export function isCanonical(key: string): boolean {
  return key !== "" && !key.startsWith("/") && !key.endsWith("/") && !key.includes("//");
}

/** A key, or what keys start with, in a URL's path. */
export function keyPath(http: ConsulHttp, key: string): string {
  return `/v1/kv/${(http.keyPrefix + key).split("/").map(encodeURIComponent).join("/")}`;
}

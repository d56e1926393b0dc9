import { invalid } from "../core/arguments.js";
import { canonicalKey } from "../core/keys.js";
import type { KVPair } from "../core/pair.js";
import { invalidValue } from "./decode.js";
import type { Instance } from "./discovery.js";
import { InvalidValueError } from "./invalid-value-error.js";

/** What stands at an instance's key: JSON, so that any program can read and write it. */
export function encodeInstance({ address, port, meta, incarnation }: Instance): string {
  return JSON.stringify({ address, port, meta, incarnation });
}

/** The instance that an entry tells of. Throws an `InvalidValueError` when it tells of none. */
export function decodeInstance(pair: KVPair): Instance {
  const [service, id] = pair.key.split("/").slice(-2) as [string, string];
  let stored: unknown;
  try {
    stored = pair.json();
  } catch {
    throw invalidValue(pair, "it is not JSON");
  }
  const { address, port, meta = {}, incarnation = "" } = (stored ?? {}) as Record<string, unknown>;
  const issues: { message: string; path: string[] }[] = [];
  if (typeof address !== "string" || address === "")
    issues.push({ message: "it is a host or an IP", path: ["address"] });
  if (!isPort(port)) issues.push({ message: "it is a whole number from 0 to 65535", path: ["port"] });
  if (!isTexts(meta)) issues.push({ message: "it is an object of texts", path: ["meta"] });
  if (typeof incarnation !== "string") issues.push({ message: "it is a text", path: ["incarnation"] });
  if (issues.length > 0) throw new InvalidValueError(pair.key, pair.revision, issues);
  return { service, id, address, port, meta, incarnation } as Instance;
}

/** The part of a key that a service's name or an instance's id makes. Throws `INVALID_ARGUMENT`. */
export function segment(what: string, name: string): string {
  if (typeof name === "string" && name !== "" && !name.includes("/") && canonicalKey(name) === name) return name;
  throw invalid(`${what} is one segment of a key, not ${JSON.stringify(name)}`);
}

/** Refuses what clients could not read. Throws `INVALID_ARGUMENT`. */
export function checkInstance({ address, port, meta }: Instance): void {
  if (typeof address !== "string" || address === "") throw invalid("address is a host name or an IP address");
  if (!isPort(port)) throw invalid(`port is a whole number from 0 to 65535, not ${String(port)}`);
  if (!isTexts(meta)) throw invalid("meta is an object whose values are texts");
}

export function sameInstance(left: Instance, right: Instance): boolean {
  const same = (a: Instance, b: Instance): boolean =>
    Object.keys(a.meta).every((name) => a.meta[name] === b.meta[name]);
  return (
    left.incarnation === right.incarnation &&
    left.address === right.address &&
    left.port === right.port &&
    same(left, right) &&
    same(right, left)
  );
}

function isPort(port: unknown): boolean {
  return Number.isInteger(port) && (port as number) >= 0 && (port as number) <= 65_535;
}

function isTexts(meta: unknown): boolean {
  if (typeof meta !== "object" || meta === null || Array.isArray(meta)) return false;
  return Object.values(meta).every((value) => typeof value === "string");
}

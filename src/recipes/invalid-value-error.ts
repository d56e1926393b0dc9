import type { StandardIssue } from "./standard-schema.js";

/**
 * The value at a key is not what the program's schema says. The message names the key and the places, never the value;
 * `issues` has the validator's own words, which may quote it.
 */
export class InvalidValueError extends Error {
  override readonly name = "InvalidValueError";
  readonly key: string;
  /** The revision of the value, where it was read from the store; `undefined` for one that was about to be written. */
  readonly revision: bigint | undefined;
  readonly issues: readonly StandardIssue[];

  constructor(key: string, revision: bigint | undefined, issues: readonly StandardIssue[]) {
    super(describe(key, revision, issues));
    this.key = key;
    this.revision = revision;
    this.issues = issues;
  }
}

function describe(key: string, revision: bigint | undefined, issues: readonly StandardIssue[]): string {
  const which = revision === undefined ? "the value to write" : `the value of revision ${revision}`;
  const places = new Set(issues.map(placeOf).filter((place) => place !== ""));
  const where = places.size === 0 ? "" : `, at ${[...places].join(", ")}`;
  return `${which} at key ${JSON.stringify(key)} is not valid${where}; issues says why`;
}

/** A path as people write it: `db.hosts.0`. */
function placeOf({ path = [] }: StandardIssue): string {
  return path.map((segment) => String(typeof segment === "object" ? segment.key : segment)).join(".");
}

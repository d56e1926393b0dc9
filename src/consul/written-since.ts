import type { KvResult } from "./client/transaction.js";
import { resultsOf } from "./pairs.js";

/** How many keys an answer has, and the results of those that were written after an index. */
export interface WrittenSince {
  readonly count: number;
  readonly written: readonly KvResult[];
}

/**
 * The last field of a result, in the order in which Consul writes them (agent/structs, `DirEntry`). In a key it cannot stand:
 * quotes within strings are escaped.
 */
const lastField = '"ModifyIndex":';

/**
 * Looks the body of a read through for what was written after `since`, and parses that alone: of a large directory most is as
 * it was. A body in which results end otherwise is parsed whole.
 */
export function writtenSince(body: string, since: number): WrittenSince {
  return (since > 0 ? scan(body, since) : undefined) ?? parse(body, since);
}

function scan(body: string, since: number): WrittenSince | undefined {
  const written: KvResult[] = [];
  let count = 0;
  // Behind the bracket, then behind the commas, and at last behind the other bracket.
  let start = 1;
  for (let field = body.indexOf(lastField); field >= 0; field = body.indexOf(lastField, start)) {
    let end = field + lastField.length;
    let index = 0;
    for (; isDigit(body.charCodeAt(end)); end++) index = 10 * index + Number(body[end]);
    if (body[end] !== "}") return undefined;
    end++;
    if (index > since) written.push(JSON.parse(body.slice(start, end)) as KvResult);
    count++;
    start = end + 1;
  }
  return count > 0 && body[start - 1] === "]" ? { count, written } : undefined;
}

function isDigit(code: number): boolean {
  return code >= 48 && code <= 57;
}

function parse(body: string, since: number): WrittenSince {
  const results = resultsOf(body);
  return { count: results.length, written: results.filter(({ ModifyIndex }) => ModifyIndex > since) };
}

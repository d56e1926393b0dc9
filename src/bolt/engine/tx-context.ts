import type { Arena } from "./arena.js";
import { EngineError } from "./errors.js";
import type { Pager } from "./pager.js";

/** What a transaction's buckets, trees and cursors share. */
export interface TxContext {
  readonly pager: Pager;
  readonly writable: boolean;
  closed: boolean;
  /** How full pages are made when they split, unless a bucket says otherwise. */
  readonly fillPercent: number | undefined;
  /** Counts puts, deletes and bucket changes. */
  changes: number;
  /** Counts the committed pages that are being edited. */
  readonly edited: { leaves: number; branches: number };
  /** Where a write transaction keeps the keys and values that it is given. */
  readonly arena: Arena | undefined;
  /** Gives pages back, for a write transaction. */
  freePages(id: number, count: number): void;
}

/** Throws CLOSED once the transaction has ended. */
export function assertOpen(context: TxContext): void {
  if (context.closed) throw closedError(context);
}

/** Throws unless the transaction is open and may write. */
export function assertWritable(context: TxContext): void {
  if (context.closed) throw closedError(context);
  if (context.writable) return;
  const { path } = context.pager.storage;
  throw new EngineError("READ_ONLY", `${path}: this transaction only reads; write inside db.update()`, { path });
}

function closedError(context: TxContext): EngineError {
  const { path } = context.pager.storage;
  return new EngineError("CLOSED", `${path}: the transaction has ended; use it only inside its function`, { path });
}

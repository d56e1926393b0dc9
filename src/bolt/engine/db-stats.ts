/** What a database does and has done; sizes are bytes. */
export interface DBStats {
  /** The newest committed transaction. */
  txid: number;
  pageSize: number;
  /** Pages up to the highest ever used. */
  pages: number;
  /** Pages free for use; undefined where the freelist is not stored and no write has worked it out yet. */
  freePages: number | undefined;
  /** Pages freed that an open reader, or the newest commit's predecessor, still needs. */
  pendingPages: number | undefined;
  openReaders: number;
  cachedPages: number;
  cachedBytes: number;
  /** Commits since it was opened, and write transactions, those rolled back or without a change included. */
  commits: number;
  writeTransactions: number;
}

/**
 * Where a database's bytes live: a file, memory, or either behind faults. Offsets and sizes are bytes. Failures are
 * thrown as they come from below; the engine gives them their meaning.
 */
export interface Storage {
  /** The name for messages. */
  readonly path: string;
  size(): number;
  /** Reads at `offset` until `into` is full or the storage ends; returns how many bytes were read. */
  read(offset: number, into: Uint8Array): number;
  /**
   * Writes the chunks one after another from `offset` on, all of them, before it returns. They are the engine's, which
   * uses their memory again: what is to be kept of them must be copied.
   */
  write(offset: number, chunks: readonly Uint8Array[]): void;
  /** The same without blocking the event loop, for large writes. */
  writeAsync(offset: number, chunks: readonly Uint8Array[]): Promise<void>;
  /** Makes the storage this large; new bytes are zero. */
  resize(size: number): void;
  /**
   * Resolves when all that was written before the call survives a power failure. More may be written, and another sync be
   * asked for, while it lasts.
   */
  sync(): Promise<void>;
  close(): void;
}

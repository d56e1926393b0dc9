/** Changes of a Bolt file's bytes that no writer makes; layouts are those of bbolt's page.go and db.go. */

export const pageHeaderSize = 16;

/** Where the fields of a meta page are, in bytes from the page's start. */
export const metaField = { pageSize: 24, root: 32, freelist: 48, highWater: 56, txid: 64, checksum: 72 } as const;

/** The freelist page id that says "not stored". */
export const freelistNotStored = 0xffff_ffff_ffff_ffffn;

/** The page size that meta page 0 states. */
export function pageSizeOf(file: Buffer): number {
  return file.readUInt32LE(metaField.pageSize);
}

/** Sets the checksum of a meta page right after its fields were changed. */
export function sealMeta(meta: Buffer): void {
  let hash = 0xcbf2_9ce4_8422_2325n;
  for (const byte of meta.subarray(pageHeaderSize, metaField.checksum)) {
    hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100_0000_01b3n);
  }
  meta.writeBigUInt64LE(hash, metaField.checksum);
}

/**
 * Whether bbolt 1.3.6 can be trusted with a file: it takes the page size from meta page 0 alone, and its check uses
 * memory for every page that the metas claim, there or not.
 */
export function isFitForGo(file: Buffer, pageSize: number): boolean {
  if (file.length < 2 * pageSize) return false;
  const sealed = Buffer.from(file.subarray(0, pageSize));
  sealMeta(sealed);
  if (!sealed.equals(file.subarray(0, pageSize))) return false;
  return [0, pageSize].every((start) => {
    const highWater = file.readBigUInt64LE(start + metaField.highWater);
    const root = file.readBigUInt64LE(start + metaField.root);
    // Kvasir takes a meta page that points outside the file for damaged, and uses the other one; bbolt panics.
    if (root < 2n || root >= highWater) return false;
    return pageSizeOf(file.subarray(start)) === pageSize && highWater * BigInt(pageSize) <= file.length;
  });
}

/** Changes 64-bit fields of both meta pages and seals them. */
export function changeMetas(
  file: Buffer,
  fields: Partial<Record<keyof typeof metaField, bigint>>,
  pageSize = pageSizeOf(file),
): void {
  for (const start of [0, pageSize]) {
    const meta = file.subarray(start, start + pageSize);
    for (const [name, value] of Object.entries(fields)) {
      meta.writeBigUInt64LE(value, metaField[name as keyof typeof metaField]);
    }
    sealMeta(meta);
  }
}

import { statSync } from "node:fs";
import type { BucketStats } from "../../../bolt/engine/bucket-stats.js";
import type { DB } from "../../../bolt/engine/db.js";
import type { Context } from "../../context.js";
import { type Configure, examples } from "../../define.js";
import { withBoltFile } from "../../open-bolt-file.js";
import { bytesToText } from "../../terminal.js";

export const configureStats: Configure = (command, bind) => {
  command
    .argument("<file>", "the file to look at")
    .addHelpText(
      "after",
      examples([
        ["kvasir bolt stats app.db", "sizes, pages, and how full each bucket's pages are"],
        ["kvasir bolt stats app.db --json", "every number there is"],
      ]),
    )
    .action(
      bind((context, file: string) =>
        withBoltFile(context, file, (db) => {
          const stats = { file, bytes: statSync(file).size, ...db.stats(), buckets: bucketsOf(db) };
          return context.output.json ? context.output.record(stats) : print(context, stats);
        }),
      ),
    );
};

function bucketsOf(db: DB): (BucketStats & { name: string })[] {
  return db.view((tx) => {
    const stats: (BucketStats & { name: string })[] = [];
    const cursor = tx.cursor();
    while (cursor.next()) stats.push({ name: bytesToText(cursor.key!), ...tx.bucket(cursor.key!)!.stats() });
    return stats;
  });
}

async function print(
  { output }: Context,
  stats: {
    bytes: number;
    pageSize: number;
    pages: number;
    freePages: number | undefined;
    txid: number;
    buckets: (BucketStats & { name: string })[];
  },
): Promise<void> {
  const free = stats.freePages === undefined ? "" : `, ${stats.freePages.toLocaleString("en")} of them free`;
  const rows: [string, string][] = [
    ["size", `${stats.bytes.toLocaleString("en")} bytes`],
    ["pages", `${stats.pages.toLocaleString("en")} of ${stats.pageSize.toLocaleString("en")} bytes${free}`],
    ["last transaction", stats.txid.toLocaleString("en")],
  ];
  for (const [name, text] of rows) await output.line(`${output.paint("dim", name.padEnd(18))}${text}`);
  for (const bucket of stats.buckets) {
    await output.line(`${output.paint("dim", "bucket".padEnd(18))}${output.escape(bucket.name)}: ${describe(bucket)}`);
  }
}

function describe(bucket: BucketStats): string {
  const pages = bucket.branchPages + bucket.branchOverflowPages + bucket.leafPages + bucket.leafOverflowPages;
  const bytes = bucket.branchBytes + bucket.leafBytes;
  const used = bucket.branchBytesUsed + bucket.leafBytesUsed;
  const parts = [`${bucket.keys.toLocaleString("en")} keys`];
  if (bytes > 0)
    parts.push(`${pages.toLocaleString("en")} pages, ${Math.round((100 * used) / bytes)}% full, ${bucket.depth} deep`);
  if (bucket.buckets > 1) parts.push(`${(bucket.buckets - 1).toLocaleString("en")} buckets in it`);
  if (bucket.inlineBuckets > 0) parts.push(`${bucket.inlineBuckets.toLocaleString("en")} inline`);
  return parts.join(", ");
}

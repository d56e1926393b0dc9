import { createWriteStream } from "node:fs";
import { open } from "node:fs/promises";
import { finished } from "node:stream/promises";
import { Option } from "commander";
import type { DB } from "../../../bolt/engine/db.js";
import { type Configure, examples } from "../../define.js";
import { createWholeFile } from "../../new-file.js";
import { withBoltFile } from "../../open-bolt-file.js";

export const configureBackup: Configure = (command, bind) => {
  command
    .argument("<source>", "the file to read")
    .argument("<target>", "the file to make")
    .addOption(new Option("--force", "replace the target when it is there"))
    .addHelpText(
      "after",
      `
Copies the state of one moment; others may read the file meanwhile. The target appears only when it is whole and on
the disk. A program that has the file open for writing must make the backup itself, as its store can while in use.
${examples([["kvasir bolt backup app.db backups/app-monday.db", ""]])}`,
    )
    .action(
      bind(async (context, source: string, target: string, options: { force?: boolean }) => {
        const { output } = context;
        const bytes = await createWholeFile(target, options.force === true, (path) =>
          withBoltFile(context, source, (db) => writeBackup(db, path)),
        );
        if (output.json) await output.record({ source, target, bytes });
        else if (output.isTerminal) await output.line(`copied ${bytes.toLocaleString("en")} bytes`);
      }),
    );
};

async function writeBackup(db: DB, path: string): Promise<number> {
  const tx = db.begin();
  const stream = createWriteStream(path, { flags: "wx", mode: 0o600 });
  try {
    const bytes = await tx.writeTo(stream);
    stream.end();
    await finished(stream);
    await syncFile(path);
    return bytes;
  } finally {
    tx.rollback();
    stream.destroy();
  }
}

async function syncFile(path: string): Promise<void> {
  const file = await open(path, "r+");
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}

import { isUtf8 } from "node:buffer";
import { Option } from "commander";
import type { Bucket } from "../../../bolt/engine/bucket.js";
import type { Tx } from "../../../bolt/engine/tx.js";
import type { Context } from "../../context.js";
import { type Configure, examples } from "../../define.js";
import { exitCodes, CommandFailure } from "../../exit.js";
import { withBoltFile } from "../../open-bolt-file.js";
import { valueFields } from "../../records.js";

/** A name as JSON carries it. */
type Name = string | { base64: string };

interface DumpOptions {
  keys?: boolean;
}

export const configureDump: Configure = (command, bind) => {
  command
    .argument("<file>", "the file to read")
    .argument("[bucket...]", "only this bucket; further names lead to a nested one")
    .addOption(new Option("--keys", "leave the values out"))
    .addHelpText(
      "after",
      `
Prints a line {"bucket":[names…],"sequence":…} for each bucket, before its own lines {"bucket":[names…],"key":…,
"value":…}. What is not UTF-8 is {"base64":…}. Values are printed as they are in the file; those of a Kvasir store
begin with eight bytes that hold the revision.
${examples([
  ["kvasir bolt dump app.db", "everything"],
  ["kvasir bolt dump app.db users settings --keys", "the keys of the bucket settings in users"],
])}`,
    )
    .action(
      bind((context, file: string, path: string[], options: DumpOptions) =>
        withBoltFile(context, file, async (db) => {
          const tx = db.begin();
          try {
            await dump(context, tx, path, options.keys === true);
          } finally {
            tx.rollback();
          }
        }),
      ),
    );
};

async function dump(context: Context, tx: Tx, path: readonly string[], keysOnly: boolean): Promise<void> {
  const dumper = new Dumper(context, keysOnly);
  const [first, ...rest] = path;
  if (first === undefined) {
    const cursor = tx.cursor();
    while (cursor.next()) await dumper.bucket([nameOf(cursor.key!)], tx.bucket(cursor.key!)!);
  } else {
    let bucket = tx.bucket(first);
    for (const name of rest) bucket = bucket?.bucket(name);
    if (bucket === undefined) {
      throw new CommandFailure(`there is no bucket ${path.map((name) => JSON.stringify(name)).join(" in ")}`, {
        exitCode: exitCodes.absent,
        advice: "`kvasir bolt stats FILE` shows which there are.",
      });
    }
    await dumper.bucket([...path], bucket);
  }
  await context.output.flush();
}

class Dumper {
  readonly #context: Context;
  readonly #keysOnly: boolean;

  constructor(context: Context, keysOnly: boolean) {
    this.#context = context;
    this.#keysOnly = keysOnly;
  }

  async bucket(path: readonly Name[], bucket: Bucket): Promise<void> {
    const { output } = this.#context;
    await output.bulkRecord({ bucket: path, sequence: bucket.sequence });
    const cursor = bucket.cursor();
    while (cursor.next()) {
      const key = cursor.key!;
      const value = cursor.value;
      if (value === undefined) await this.bucket([...path, nameOf(key)], bucket.bucket(key)!);
      else {
        const fields = this.#keysOnly ? {} : valueFields(value);
        const written = output.bulkRecord({ bucket: path, key: nameOf(key), ...fields });
        if (written !== undefined) await written;
      }
    }
  }
}

function nameOf(bytes: Uint8Array): Name {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return isUtf8(buffer) ? buffer.toString("utf8") : { base64: buffer.toString("base64") };
}

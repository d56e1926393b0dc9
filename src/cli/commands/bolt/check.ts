import type { Context } from "../../context.js";
import { type Configure, examples } from "../../define.js";
import { errorCode, exitCodes } from "../../exit.js";
import { withBoltFile } from "../../open-bolt-file.js";

interface Problem {
  readonly pageId: number | undefined;
  readonly message: string;
}

export const configureCheck: Configure = (command, bind) => {
  command
    .argument("<file>", "the file to check")
    .addHelpText(
      "after",
      `
Walks every page. Prints one line for each problem with the page it shows on; exit code 0 when the file is sound, 1
when it is damaged.
${examples([["kvasir bolt check app.db", ""]])}`,
    )
    .action(
      bind(async (context, file: string) => {
        const problems = await findProblems(context, file);
        await report(context, file, problems);
        return problems.length === 0 ? exitCodes.ok : exitCodes.absent;
      }),
    );
};

/** A file too damaged to be opened is a damaged file, not a failure to look. */
async function findProblems(context: Context, file: string): Promise<readonly Problem[]> {
  try {
    return await withBoltFile(context, file, (db) => db.check());
  } catch (error) {
    if (errorCode(error) !== "CORRUPT") throw error;
    const { message, pageId } = error as Error & { pageId?: number };
    return [{ pageId, message }];
  }
}

async function report({ output }: Context, file: string, problems: readonly Problem[]): Promise<void> {
  if (output.json) {
    for (const { pageId, message } of problems) await output.bulkRecord({ pageId, message });
    await output.bulkRecord({ file, sound: problems.length === 0, problems: problems.length });
    return;
  }
  // The engine's sentences begin with the file, which the caller knows, and then name the page.
  for (const { message } of problems) await output.bulkLine(output.escape(withoutStart(message, `${file}: `)));
  const count = `${problems.length} ${problems.length === 1 ? "problem" : "problems"}`;
  await output.bulkLine(problems.length === 0 ? output.paint("green", "sound") : output.paint("red", count));
}

function withoutStart(text: string, start: string): string {
  return text.startsWith(start) ? text.slice(start.length) : text;
}

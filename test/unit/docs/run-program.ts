import { format } from "node:util";
import ts from "typescript";

type Main = (load: (name: string) => Promise<unknown>, console: { log(...args: unknown[]): void }) => Promise<void>;

/** What the package's entries are in the source. */
const entries: Readonly<Record<string, () => Promise<unknown>>> = {
  kvasir: () => import("../../../src/index.js"),
  "kvasir/bolt": () => import("../../../src/bolt/index.js"),
  "kvasir/bolt/engine": () => import("../../../src/bolt/engine/index.js"),
  "kvasir/recipes": () => import("../../../src/recipes/index.js"),
  "kvasir/memory": () => import("../../../src/bolt/memory.js"),
};

/**
 * Runs a page's program in the current folder, with `kvasir` meaning the source, and gives what it logged. Import
 * declarations become lookups, so that no file has to be written where a module could be found.
 */
export async function runProgram(program: string): Promise<string[]> {
  const lines: string[] = [];
  const { outputText } = ts.transpileModule(program, {
    compilerOptions: { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ES2022 },
  });
  const body = outputText.replaceAll(
    /^import (.+?) from "(.+?)";$/gm,
    (_, names: string, from: string) =>
      `const ${names.replace("* as ", "").replaceAll(" as ", ": ")} = await load("${from}");`,
  );
  const AsyncFunction = Object.getPrototypeOf(async () => {}).constructor as new (...parts: string[]) => Main;
  const main = new AsyncFunction("load", "console", body);
  const load = (name: string): Promise<unknown> => entries[name]?.() ?? import(name);
  await main(load, { log: (...args) => void lines.push(...format(...args).split("\n")) });
  return lines;
}

/** The lines that the program's comments say it prints. */
export function promisedLines(program: string): string[] {
  return [...program.matchAll(/\/\/ prints (.*)$/gm)].map(([, line]) => line!);
}

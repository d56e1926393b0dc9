import path from "node:path";
import ts from "typescript";
import { expect, it } from "vitest";
import { allPages, programOf, root } from "./markdown.js";

/** Every program of the documentation as a file beside its page, for the compiler. */
function programFiles(): Map<string, string> {
  const files = new Map<string, string>();
  for (const page of allPages()) {
    const program = programOf(page);
    if (program !== undefined) files.set(path.join(root, `${page.name}.ts`), program);
  }
  return files;
}

it("programs in the documentation compile in strict mode", { timeout: 120_000 }, () => {
  const files = programFiles();
  const { config } = ts.readConfigFile(path.join(root, "tsconfig.json"), (name) => ts.sys.readFile(name)) as {
    config: { compilerOptions: Record<string, unknown> };
  };
  const { options } = ts.convertCompilerOptionsFromJson(
    {
      ...config.compilerOptions,
      paths: {
        kvasir: ["./src/index.ts"],
        "kvasir/bolt": ["./src/bolt/index.ts"],
        "kvasir/bolt/engine": ["./src/bolt/engine/index.ts"],
        "kvasir/recipes": ["./src/recipes/index.ts"],
        "kvasir/memory": ["./src/bolt/memory.ts"],
      },
    },
    root,
  );
  const disk = ts.createCompilerHost(options);
  const host: ts.CompilerHost = {
    ...disk,
    readFile: (name) => files.get(name) ?? disk.readFile(name),
    fileExists: (name) => files.has(name) || disk.fileExists(name),
    getSourceFile: (name, target, ...rest) => {
      const text = files.get(name);
      if (text === undefined) return disk.getSourceFile(name, target, ...rest);
      return ts.createSourceFile(name, text, target);
    },
  };
  const program = ts.createProgram([...files.keys()], options, host);
  const problems = [...files.keys()].flatMap((name) => {
    const source = program.getSourceFile(name);
    return [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)].map(
      ({ messageText }) => `${path.basename(name)}: ${ts.flattenDiagnosticMessageText(messageText, "\n")}`,
    );
  });
  expect(files.size).toBeGreaterThan(5);
  expect(problems).toEqual([]);
});

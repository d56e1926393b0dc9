import { execFile } from "node:child_process";
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, it } from "vitest";

const run = promisify(execFile);
const root = path.resolve(import.meta.dirname, "../..");
const bin = (name: string): string => path.join(root, "node_modules", ".bin", name);

let folder: string;
let tarball: string;
/** A project of somebody who has installed the tarball. */
let project: string;

beforeAll(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), "kvasir-package-"));
  const packed = await run("npm", ["pack", "--json", "--pack-destination", folder], { cwd: root });
  const [{ filename }] = JSON.parse(packed.stdout) as [{ filename: string }];
  tarball = path.join(folder, filename);
  project = path.join(folder, "project");
  await mkdir(project);
  await writeFile(
    path.join(project, "package.json"),
    JSON.stringify({ name: "somebody", private: true, type: "module" }),
  );
  await run("npm", ["install", "--no-audit", "--no-fund", "--prefer-offline", tarball], { cwd: project });
});

afterAll(() => rm(folder, { recursive: true, force: true }));

/** Every entry of `exports` that is code, as users name it. */
async function entries(): Promise<string[]> {
  const { exports } = JSON.parse(await readFile(path.join(root, "package.json"), "utf8")) as {
    exports: Record<string, unknown>;
  };
  const names = Object.keys(exports).filter((name) => name !== "./package.json");
  return names.map((name) => path.posix.join("kvasir", name));
}

const program = (load: string): string => `
  ${load}
  (async () => {
    const store = await connect("bolt:" + process.argv[2]);
    const pair = await store.put("a/b", "c");
    const again = await store.get("a/b");
    await store.close();
    if (again.text() !== "c" || again.revision !== pair.revision) throw new Error("read something else");
    console.log("works");
  })();
`;

it("works from an ES module", async () => {
  await writeFile(path.join(project, "use.mjs"), program('import { connect } from "kvasir";'));
  const { stdout } = await run("node", ["use.mjs", path.join(folder, "esm.db")], { cwd: project });
  expect(stdout).toBe("works\n");
});

it("works from require()", async () => {
  await writeFile(path.join(project, "use.cjs"), program('const { connect } = require("kvasir");'));
  const { stdout } = await run("node", ["--no-warnings", "use.cjs", path.join(folder, "cjs.db")], { cwd: project });
  expect(stdout).toBe("works\n");
});

it("every entry can be imported and required", async () => {
  const names = await entries();
  const check = `
    import { createRequire } from "node:module";
    const require = createRequire(import.meta.url);
    for (const name of ${JSON.stringify(names)}) {
      const imported = Object.keys(await import(name));
      const required = Object.keys(require(name)).filter((key) => key !== "__esModule");
      if (imported.length === 0 || imported.join() !== required.join()) throw new Error(name + " differs");
    }
    console.log("all");
  `;
  await writeFile(path.join(project, "entries.mjs"), check);
  const { stdout } = await run("node", ["--no-warnings", "entries.mjs"], { cwd: project });
  expect(stdout).toBe("all\n");
});

it.each(["nodenext", "bundler"])("has types for moduleResolution %s", async (moduleResolution) => {
  const names = await entries();
  const source = `
    import { connect, isStoreError, type KVPair, type Store } from "kvasir";
    ${names.map((name, at) => `import * as entry${at} from "${name}"; void entry${at};`).join("\n")}
    const store: Store = await connect("memory:");
    const pair: KVPair | undefined = await store.get("a");
    for await (const change of store.watchTree("a")) if (change.changes.length > 0) break;
    // @ts-expect-error a revision is a bigint
    const wrong: number = pair!.revision;
    export { isStoreError, wrong };
  `;
  await writeFile(path.join(project, "use.ts"), source);
  const compilerOptions = {
    strict: true,
    noEmit: true,
    target: "es2022",
    module: moduleResolution === "bundler" ? "esnext" : "nodenext",
    moduleResolution,
    lib: ["es2023", "esnext.disposable"],
    types: ["node"],
  };
  await writeFile(path.join(project, "tsconfig.json"), JSON.stringify({ compilerOptions, files: ["use.ts"] }));
  await mkdir(path.join(project, "node_modules", "@types"), { recursive: true });
  const nodeTypes = path.join(project, "node_modules", "@types", "node");
  await rm(nodeTypes, { recursive: true, force: true });
  await cp(path.join(root, "node_modules", "@types", "node"), nodeTypes, { recursive: true });
  const undiciTypes = path.join(project, "node_modules", "undici-types");
  await rm(undiciTypes, { recursive: true, force: true });
  await symlink(path.join(root, "node_modules", "undici-types"), undiciTypes);
  const { stdout } = await run(bin("tsc"), ["-p", "tsconfig.json"], { cwd: project }).catch(
    (error: { stdout: string }) => error,
  );
  expect(stdout).toBe("");
});

it("has an installed command that runs", async () => {
  const command = path.join(project, "node_modules", ".bin", "kvasir");
  const url = `bolt:${path.join(folder, "cli.db")}`;
  await run(command, ["--url", url, "put", "greeting", "hello"]);
  const { stdout } = await run(command, ["--url", url, "get", "greeting"]);
  expect(stdout.trim()).toBe("hello");
});

it("ships what it names, and nothing that is not for users", async () => {
  const { stdout } = await run("tar", ["-tzf", tarball]);
  const files = stdout.trim().split("\n");
  expect(files).toContain("package/dist/index.js");
  expect(files).toContain("package/LICENSE");
  expect(files.filter((file) => !/^package\/(dist\/|docs\/|package\.json|[A-Z]+\.md|LICENSE)/.test(file))).toEqual([]);
  expect(files.filter((file) => /\.(tsbuildinfo|test\.)/.test(file))).toEqual([]);
});

it("satisfies publint and Are The Types Wrong", async () => {
  await run(bin("publint"), ["run", tarball, "--strict"], { cwd: root });
  await run(bin("attw"), [tarball, "--profile", "esm-only"], { cwd: root });
});

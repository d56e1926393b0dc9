import { existsSync, readdirSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { commandTable } from "../../../src/cli/command-table.js";
import type { Environment } from "../../../src/cli/environment.js";
import { Interruption } from "../../../src/cli/interruption.js";
import { createFullProgram } from "../../../src/cli/program.js";
import { connect } from "../../../src/connect.js";
import { storeErrorCodes } from "../../../src/core/errors.js";
import { allPages, codeBlocks, type Page, prose, readPage, root } from "./markdown.js";

/** What a heading is called in a link, as the usual viewers of markdown make it. */
function anchorsOf(page: Page): Set<string> {
  const headings = [...prose(page).matchAll(/^#+ (.+)$/gm)].map(([, heading]) => heading!);
  return new Set(
    headings.map((heading) =>
      heading
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N} _-]/gu, "")
        .replaceAll(" ", "-"),
    ),
  );
}

/** Links of a page that lead nowhere: to a file that is not there, or a heading that the file does not have. */
function brokenLinks(page: Page): string[] {
  const targets = [...prose(page).matchAll(/\]\(([^)\s]+)\)/g)].map(([, target]) => target!);
  return targets.filter((target) => {
    if (/^[a-z]+:/.test(target)) return false;
    const [file, anchor] = target.split("#") as [string, string?];
    const name = file === "" ? page.name : path.posix.join(path.posix.dirname(page.name), file);
    if (!existsSync(path.join(root, name))) return true;
    return anchor !== undefined && !anchorsOf(readPage(name)).has(anchor);
  });
}

/** The commands a page names: `kvasir put` in the text, and what stands behind `kvasir` in a shell's block. */
function namedCommands(page: Page): string[] {
  const shell = codeBlocks(page)
    .filter(({ language }) => language === "sh")
    .map(({ code }) => code.replaceAll(/#.*$/gm, ""));
  const inline = [...prose(page).matchAll(/`([^`\n]+)`/g)].map(([, code]) => code!);
  return [...shell, ...inline].flatMap((code) =>
    [...code.matchAll(/(?<![\w./"'@-])kvasir (?:--url \S+ |--json )*([a-z]+(?: [a-z]+)?)/g)].map(([, words]) => words!),
  );
}

const pages = allPages();

/** What the command line is made in; none of its commands runs here. */
const environment: Environment = {
  args: [],
  env: {},
  stdout: process.stdout,
  stderr: process.stderr,
  stdin: () => process.stdin,
  stdinKind: () => "other",
  interruption: new Interruption(),
  connect,
};

describe("the pages", () => {
  it("are found", () => {
    expect(pages.map(({ name }) => name)).toEqual(
      expect.arrayContaining(["README.md", "ARCHITECTURE.md", "docs/errors.md", "test/servers/README.md"]),
    );
  });

  it.each(pages.map((page) => [page.name, page] as const))("%s has no link that leads nowhere", (_, page) => {
    expect(brokenLinks(page)).toEqual([]);
  });

  it("name only files of the source that exist", () => {
    const source = new Set(readdirSync(path.join(root, "src"), { recursive: true, encoding: "utf8" }));
    const names = new Set([...source].map((file) => path.basename(file)));
    const missing = pages.flatMap((page) => {
      const paths = [...page.text.matchAll(/`src\/([a-z0-9/.-]+?)\/?`/g)].map(([, file]) => file!);
      const files = page.name === "ARCHITECTURE.md" ? [...page.text.matchAll(/`([a-z-]+\.ts)`/g)] : [];
      return [
        ...paths.filter((file) => !source.has(file)).map((file) => `${page.name}: src/${file}`),
        ...files.map(([, file]) => file!).filter((file) => !names.has(file)),
      ];
    });
    expect(missing).toEqual([]);
  });

  it("name only commands that exist", async () => {
    const program = await createFullProgram(environment, () => async () => {});
    const known = new Set(
      program.commands.flatMap((command) => [
        command.name(),
        ...command.commands.map((sub) => `${command.name()} ${sub.name()}`),
      ]),
    );
    const groups = new Set(
      program.commands.filter(({ commands }) => commands.length > 0).map((command) => command.name()),
    );
    const unknown = pages.flatMap((page) =>
      namedCommands(page)
        .map((words) => (groups.has(words.split(" ")[0]!) ? words : words.split(" ")[0]!))
        .filter((command) => !known.has(command))
        .map((command) => `${page.name}: kvasir ${command}`),
    );
    expect(unknown).toEqual([]);
    expect(pages.flatMap(namedCommands).length).toBeGreaterThan(20);
  });

  it("tell of every command in docs/cli.md", () => {
    const { text } = readPage("docs/cli.md");
    expect(commandTable.map(({ name }) => name).filter((name) => !text.includes(name))).toEqual([]);
  });
});

describe("docs/errors.md", () => {
  const { text } = readPage("docs/errors.md");
  const entries = new Map(
    text
      .split(/^### /m)
      .slice(1)
      .map((entry) => [entry.slice(0, entry.indexOf("\n")), entry]),
  );

  it("has an entry for each code, and no others", () => {
    expect([...entries.keys()]).toEqual([...storeErrorCodes]);
  });

  it.each([...storeErrorCodes])("says what happened and what to do: %s", (code) => {
    expect(entries.get(code)).toMatch(/\*\*What happened:\*\* \S[^]{30,}\*\*What to do:\*\* \S[^]{10,}/);
  });
});

import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";

/** The repository's folder. */
export const root = path.resolve(import.meta.dirname, "../../..");

/** A fenced block of a page. */
export interface CodeBlock {
  /** The first word after the fence, such as `ts`. */
  readonly language: string;
  /** Whether the fence says `run`: the block is part of the page's program. */
  readonly runs: boolean;
  readonly code: string;
}

/** A page of the documentation. */
export interface Page {
  /** Its path below the repository's folder. */
  readonly name: string;
  readonly text: string;
}

/** Folders whose pages are not ours, or made by tools. */
const notPages = new Set(["node_modules", "dist", "coverage", "docs/api"]);

/** Every markdown file of the repository. */
export function allPages(folder = ""): Page[] {
  return readdirSync(path.join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const name = path.posix.join(folder, entry.name);
    if (entry.name.startsWith(".") || notPages.has(name)) return [];
    if (entry.isDirectory()) return allPages(name);
    return name.endsWith(".md") ? [{ name, text: readFileSync(path.join(root, name), "utf8") }] : [];
  });
}

export function readPage(name: string): Page {
  return { name, text: readFileSync(path.join(root, name), "utf8") };
}

export function codeBlocks({ text }: Page): CodeBlock[] {
  return [...text.matchAll(/^```(\w*)([^\n]*)\n(.*?)^```/gms)].map(([, language, info, code]) => ({
    language: language!,
    runs: info!.trim() === "run",
    code: code!,
  }));
}

/** The blocks that a page's fences mark with `run`, one program in the page's order; `undefined` when there are none. */
export function programOf(page: Page): string | undefined {
  const blocks = codeBlocks(page).filter(({ runs }) => runs);
  return blocks.length === 0 ? undefined : blocks.map(({ code }) => code).join("\n");
}

/** The page without its fenced blocks. */
export function prose({ text }: Page): string {
  return text.replaceAll(/^```.*?^```/gms, "");
}

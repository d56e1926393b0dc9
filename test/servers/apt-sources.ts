import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";

/** One archive that the machine's apt is configured with. */
export interface AptSource {
  uri: string;
  suites: readonly string[];
  components: readonly string[];
  /** The value of `Signed-By`: a keyring file, or a key itself over several lines. Absent: apt's trusted keys. */
  signedBy: string | undefined;
}

/** The archives of the machine, in the order apt reads them: `sources.list`, then `sources.list.d` by name. */
export function readAptSources(folder = "/etc/apt"): AptSource[] {
  const parts = path.join(folder, "sources.list.d");
  const files = [
    path.join(folder, "sources.list"),
    ...list(parts)
      .sort()
      .map((name) => path.join(parts, name)),
  ];
  return files.flatMap((file) => {
    if (file.endsWith(".list")) return parseOneLineFormat(read(file));
    if (file.endsWith(".sources")) return parseDeb822(read(file));
    return [];
  });
}

/** `deb [signed-by=... arch=...] uri suite component...`, described in sources.list(5). */
export function parseOneLineFormat(text: string): AptSource[] {
  const sources: AptSource[] = [];
  for (const line of text.split("\n")) {
    const match = /^\s*deb\s+(?:\[([^\]]*)\]\s+)?(\S+)\s+(\S+)\s*([^#]*)/.exec(line);
    if (match === null) continue;
    const [, options = "", uri = "", suite = "", components = ""] = match;
    const signedBy = /(?:^|\s)signed-by=(\S+)/i.exec(options)?.[1];
    sources.push({ uri, suites: [suite], components: words(components), signedBy });
  }
  return sources;
}

/** Paragraphs of `Field: value`, continued by lines that start with a blank, described in sources.list(5). */
export function parseDeb822(text: string): AptSource[] {
  const sources: AptSource[] = [];
  for (const paragraph of text.replace(/^#.*\n?/gm, "").split(/\n\s*\n/)) {
    const fields = new Map<string, string>();
    for (const match of paragraph.matchAll(/^([A-Za-z-]+):[ \t]*(.*(?:\n[ \t].*)*)/gm)) {
      fields.set(match[1]!.toLowerCase(), match[2]!);
    }
    const uri = words(fields.get("uris") ?? "")[0];
    if (uri === undefined || !words(fields.get("types") ?? "").includes("deb")) continue;
    if (fields.get("enabled")?.trim().toLowerCase() === "no") continue;
    sources.push({
      uri,
      suites: words(fields.get("suites") ?? ""),
      components: words(fields.get("components") ?? ""),
      signedBy: fields.get("signed-by"),
    });
  }
  return sources;
}

function words(text: string): string[] {
  return text.split(/\s+/).filter((word) => word !== "");
}

function list(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function read(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}

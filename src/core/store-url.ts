import { invalid } from "./arguments.js";

/** The parts of a store's URL: `scheme://user:password@host:port,host:port/path?option=value`, or `scheme:path?…`. */
export class StoreUrl {
  /** Without the colon, lower case. */
  readonly scheme: string;
  readonly hosts: readonly string[];
  readonly user: string | undefined;
  readonly password: string | undefined;
  /** A file's path as it was written, or what follows the hosts, without its first slash. */
  readonly path: string;
  readonly #options: Map<string, string>;
  readonly #asked = new Set<string>();

  constructor(text: string) {
    const parts = /^([a-z][a-z0-9+.-]*):(?:\/\/([^/?#]*)(\/[^?#]*)?|([^?#]*))(?:\?([^#]*))?$/i.exec(text);
    if (parts === null) throw invalid(`not a store's URL: ${redactUrl(text)}; for example bolt:./data/app.db`);
    const [, scheme, authority, afterHosts, plainPath, query] = parts;
    this.scheme = scheme!.toLowerCase();
    const at = authority?.lastIndexOf("@") ?? -1;
    const [user, password] = at < 0 ? [] : splitOnce(authority!.slice(0, at), ":");
    this.user = user === undefined ? undefined : decode(user, text);
    this.password = password === undefined ? undefined : decode(password, text);
    this.hosts = (authority ?? "")
      .slice(at + 1)
      .split(",")
      .filter((host) => host !== "");
    const path =
      authority === undefined ? plainPath! : authority === "" ? (afterHosts ?? "") : (afterHosts ?? "").slice(1);
    this.path = decode(path, text);
    this.#options = new Map(new URLSearchParams(query ?? ""));
  }

  text(name: string): string | undefined {
    this.#asked.add(name);
    return this.#options.get(name);
  }

  number(name: string): number | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    const value = Number(text);
    if (text.trim() === "" || Number.isNaN(value)) throw invalid(`${name}=${text} in the URL is not a number`);
    return value;
  }

  /** `?name` and `?name=true` are true. */
  flag(name: string): boolean | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    if (text === "" || text === "true" || text === "1") return true;
    if (text === "false" || text === "0") return false;
    throw invalid(`${name}=${text} in the URL is neither true nor false`);
  }

  /** Throws for options that nobody asked for: a misspelt one should not be silently without effect. */
  refuseUnknown(): void {
    const unknown = [...this.#options.keys()].filter((name) => !this.#asked.has(name));
    if (unknown.length === 0) return;
    throw invalid(
      `unknown in a ${this.scheme}: URL: ${unknown.join(", ")}; it knows ${[...this.#asked].sort().join(", ")}`,
    );
  }
}

/** A URL for messages: the password hidden, even one whose slashes were not encoded. */
export function redactUrl(text: string): string {
  return text.replace(/^([a-z][a-z0-9+.-]*:\/\/).*@/is, "$1***@");
}

function splitOnce(text: string, separator: string): [string, string | undefined] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)];
}

function decode(part: string, whole: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    throw invalid(`a % in ${redactUrl(whole)} is not followed by two hexadecimal digits; write it as %25`);
  }
}

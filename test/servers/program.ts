/** A server program that can be run, however it was found. */
export interface Program {
  /** Where it is, for people: "etcd 3.4.23, unpacked from Debian bookworm". */
  description: string;
  version: string;
  /** The start of the command line; the server's own arguments follow. */
  command: readonly string[];
  /** A Docker image to run the command in, instead of on the machine itself. */
  image?: string | undefined;
}

/** One way to get a program: undefined where it does not apply would hide why, so it throws the reason instead. */
export interface Way {
  /** For people: "a binary on PATH". */
  name: string;
  find: () => Promise<Program>;
}

const found = new Map<string, Promise<Program>>();

/**
 * Tries the ways in order and takes the first that works; remembered for the life of this process. When none works the
 * error gives the reason of each.
 */
export function locateProgram(what: string, ways: readonly Way[]): Promise<Program> {
  const known = found.get(what);
  if (known !== undefined) return known;
  const search = tryWays(what, ways);
  found.set(what, search);
  return search;
}

async function tryWays(what: string, ways: readonly Way[]): Promise<Program> {
  const reasons: string[] = [];
  for (const way of ways) {
    try {
      return await way.find();
    } catch (error) {
      reasons.push(`  ${way.name}: ${(error as Error).message.replaceAll("\n", "\n    ")}`);
    }
  }
  throw new Error(`no ${what} to test with. What was tried:\n${reasons.join("\n")}`);
}

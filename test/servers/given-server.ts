import { Member } from "./member.js";
import type { ServedBackend } from "./skipped.js";
import type { ServerParts } from "./test-server.js";

/**
 * A server that runs already, given by `KVASIR_TEST_ETCD`, `KVASIR_TEST_CONSUL` or `KVASIR_TEST_ZOOKEEPER`: one address
 * or several with commas. Undefined when none is given.
 *
 * It serves only tests that ask for nothing special: no version, no TLS, no authentication, no cluster, and `own` not
 * set. It may hold data already, and its members cannot be stopped, paused or emptied: that throws.
 *
 * `askVersion` throws when the server does not answer.
 */
export async function givenServer(
  backend: ServedBackend,
  options: object,
  isLeader: ServerParts["isLeader"],
  askVersion: (endpoint: string) => Promise<string | undefined>,
): Promise<ServerParts | undefined> {
  const variable = `KVASIR_TEST_${backend.toUpperCase()}`;
  const addresses = (process.env[variable] ?? "").split(",").map((address) => address.trim());
  const asksForMore = Object.values(options).some((value) => value !== undefined && value !== false);
  if (addresses[0] === "" || asksForMore) return undefined;

  const scheme = backend === "zookeeper" ? "" : "http://";
  const endpoints = addresses.map((address) => (address.includes("://") ? address : scheme + address));
  const version = await askVersion(endpoints[0]!).catch((error: unknown) => {
    throw new Error(`${variable}: ${endpoints[0]} does not answer: ${(error as Error).message}`, { cause: error });
  });
  if (version === undefined) throw new Error(`${variable}: what answers at ${endpoints[0]} is not ${backend}`);
  const program = { description: `${backend} ${version}, given by ${variable}`, version, command: [] };
  const members = endpoints.map(
    (endpoint, at) =>
      new Member({
        name: `${backend}${at + 1}`,
        endpoint,
        program,
        args: [],
        folders: [],
        isReady: async () => (await askVersion(endpoint)) !== undefined,
        givenBy: variable,
      }),
  );
  return { program, members, ports: [], folder: undefined, isLeader };
}

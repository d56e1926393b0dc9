import { ZooKeeperClient } from "./client.js";
import { type ClientOptions, resolveOptions } from "./options.js";

/** Opens a session; rejects when no server grants one within `timeoutMs`, or refuses the credentials. */
export async function connect(options: ClientOptions): Promise<ZooKeeperClient> {
  const client = new ZooKeeperClient(resolveOptions(options));
  try {
    await client.open(options.signal);
    return client;
  } catch (error) {
    await client.close();
    throw error;
  }
}

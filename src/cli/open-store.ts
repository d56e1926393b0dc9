import type { ConnectOptions } from "../connect.js";
import type { Store } from "../core/store.js";
import type { Context } from "./context.js";
import { UsageError } from "./exit.js";

/**
 * What a command does with a store. `read`: a file that is not there is not created, and others may read it meanwhile.
 * `follow`: it stays for long, so other processes must get at the file as well.
 */
export type Access = "read" | "write" | "follow";

/** Opens the store that `--url` or `KVASIR_URL` names, and closes it however the work ends. */
export async function withStore<T>(context: Context, access: Access, work: (store: Store) => Promise<T>): Promise<T> {
  if (context.url === undefined || context.url === "") {
    throw new UsageError(
      "no store is named",
      "Give --url, or set KVASIR_URL; for example: kvasir --url bolt:./app.db list",
    );
  }
  return withStoreAt(context, context.url, access, work);
}

/** The same for a URL that came as an argument. */
export async function withStoreAt<T>(
  context: Context,
  url: string,
  access: Access,
  work: (store: Store) => Promise<T>,
): Promise<T> {
  context.signal.throwIfAborted();
  const store = await context.connect(url, { connectTimeoutMs: context.timeoutMs, ...accessOptions(url, access) });
  let result: T;
  try {
    result = await work(store);
  } catch (error) {
    // What went wrong first is what the caller needs to hear of.
    await store.close().catch(() => undefined);
    throw error;
  }
  await store.close();
  return result;
}

/** Servers are for many anyway; a file is opened as the command needs it. What the URL says goes before. */
function accessOptions(url: string, access: Access): ConnectOptions {
  if (!/^bolt:/i.test(url)) return {};
  return { read: { readOnly: true }, write: {}, follow: { shared: true } }[access];
}

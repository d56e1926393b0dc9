import type { Store } from "../core/store.js";
import type { Context } from "./context.js";
import { UsageError } from "./exit.js";

/** Opens the store that `--url` or `KVASIR_URL` names, and closes it however the work ends. */
export async function withStore<T>(context: Context, work: (store: Store) => Promise<T>): Promise<T> {
  if (context.url === undefined || context.url === "") {
    throw new UsageError(
      "no store is named",
      "Give --url, or set KVASIR_URL; for example: kvasir --url bolt:./app.db list",
    );
  }
  return withStoreAt(context, context.url, work);
}

/** The same for a URL that came as an argument. */
export async function withStoreAt<T>(context: Context, url: string, work: (store: Store) => Promise<T>): Promise<T> {
  context.signal.throwIfAborted();
  const store = await context.connect(url, { timeoutMs: context.timeoutMs });
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

import { expect } from "vitest";
import { EtcdClient, type EtcdClientOptions, EtcdError } from "../../../../src/etcd/client/index.js";
import type { TcpProxy } from "../../../servers/index.js";

const encoder = new TextEncoder();

/** UTF-8 bytes. */
export function bytes(text: string): Uint8Array {
  return encoder.encode(text);
}

/** The text of some bytes. */
export function text(value: Uint8Array | undefined): string | undefined {
  return value === undefined ? undefined : Buffer.from(value).toString();
}

/** Runs `body` with a client that is closed afterwards. */
export async function withClient<T>(options: EtcdClientOptions, body: (client: EtcdClient) => Promise<T>): Promise<T> {
  const client = new EtcdClient(options);
  try {
    return await body(client);
  } finally {
    client.close();
  }
}

/** The `EtcdError` that the call must end with. */
export async function failureOf(call: Promise<unknown>): Promise<EtcdError> {
  const error = await call.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(EtcdError);
  return error as EtcdError;
}

/** Reads one key's value as text. */
export async function valueOf(client: EtcdClient, key: string): Promise<string | undefined> {
  return text((await client.kv.range({ key: bytes(key) })).kvs[0]?.value);
}

/** Resolves when the client has sent something, passed on or not, since the proxy's counters were reset. */
export async function somethingSent(proxy: TcpProxy): Promise<void> {
  await eventually(() => proxy.count.toServer).toBeGreaterThan(0);
}

/** An assertion that has to come true, on a machine busy with other tests. */
export function eventually<T>(value: () => T | Promise<T>, intervalMs = 5) {
  return expect.poll(value, { interval: intervalMs, timeout: 30_000 });
}

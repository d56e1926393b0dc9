// A program of its own: uses a client, closes it, and must then end by itself with nothing printed but the last line.
import { EtcdClient } from "../../../../src/etcd/client/index.js";

const [situation, endpoint] = process.argv.slice(2);
const key = new TextEncoder().encode("close-and-exit");
const client = new EtcdClient({ endpoints: [endpoint!] });
const ignore = (): void => {};

let onPut = ignore;
const put = new Promise<void>((resolve) => (onPut = resolve));
const created = new Promise<void>((resolve) => {
  const handler = { onCreated: () => resolve(), onEvents: () => onPut(), onCompacted: ignore, onError: ignore };
  client.watcher.watch({ key }, handler);
});
if (situation === "unreachable") {
  await client.kv.range({ key }, { timeoutMs: 200 }).catch(ignore);
} else {
  await created;
  const { id } = await client.leases.grant(60_000);
  await client.leases.renew(id);
  if (situation === "stalled") {
    // What is put from outside says that the server does not hear us any more; nobody will take all this.
    console.log("ready");
    await put;
    for (let at = 0; at < 20; at++) client.kv.put({ key, value: new Uint8Array(1_000_000) }).catch(ignore);
    await new Promise((resolve) => setTimeout(resolve, 100));
  } else if (situation === "everything") {
    // Rejected by close, and read by nobody: that must not bring the process down either.
    client.kv.put({ key }).catch(ignore);
    client.leases.renew(id).catch(ignore);
  } else {
    await client.kv.put({ key });
  }
}
client.close();
console.log("closed");

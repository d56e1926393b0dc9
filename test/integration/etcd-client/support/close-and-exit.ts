// A program of its own: uses a client, closes it, and must then end by itself with nothing printed but the last line.
import { EtcdClient } from "../../../../src/etcd/client/index.js";

const [situation, endpoint] = process.argv.slice(2);
const key = new TextEncoder().encode("close-and-exit");
const client = new EtcdClient({ endpoints: [endpoint!] });
const ignore = (): void => {};

const created = new Promise<void>((resolve) => {
  client.watcher.watch({ key }, { onCreated: () => resolve(), onEvents: ignore, onCompacted: ignore, onError: ignore });
});
if (situation === "unreachable") {
  await client.kv.range({ key }, { timeoutMs: 200 }).catch(ignore);
} else {
  await created;
  const { id } = await client.leases.grant(60_000);
  await client.leases.renew(id);
  if (situation === "everything") {
    // Rejected by close, and read by nobody: that must not bring the process down either.
    client.kv.put({ key }).catch(ignore);
    client.leases.renew(id).catch(ignore);
  } else {
    await client.kv.put({ key });
  }
}
client.close();
console.log("closed");

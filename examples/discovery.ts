// A service whose instances come, go and fall ill, and a client that finds those that are well. Runs on a file of its own,
// or on the store that KVASIR_URL names: npx tsx examples/discovery.ts
import { connect } from "kvasir";
import { createDiscovery } from "kvasir/recipes";

const store = await connect(process.env["KVASIR_URL"] ?? "bolt:./discovery.db");
try {
  // Both sides would be in processes of their own. A program that is told to end deregisters what it has registered.
  const servers = createDiscovery(store, { deregisterOn: ["SIGTERM", "SIGINT"] });
  const clients = createDiscovery(store);

  await servers.register({ service: "web", id: "web-1", address: "10.0.0.7", port: 8080, meta: { zone: "a" } });
  let healthy = true;
  const second = await servers.register({
    service: "web",
    id: "web-2",
    address: "10.0.0.8",
    port: 8080,
    meta: { zone: "b" },
    check: { type: "function", run: () => healthy, intervalMs: 10 },
  });

  for (let request = 1; request <= 3; request++) {
    const instance = await clients.pick("web", "round-robin");
    console.log(`request ${request} goes to ${instance?.address}:${instance?.port} in zone ${instance?.meta["zone"]}`);
  }
  // prints request 1 goes to 10.0.0.7:8080 in zone a
  // prints request 2 goes to 10.0.0.8:8080 in zone b
  // prints request 3 goes to 10.0.0.7:8080 in zone a

  // Who watches gets everybody first, then each change.
  for await (const { instances, joined, left } of clients.watch("web")) {
    const names = (some: typeof joined): string => some.map(({ id }) => id).join(" and ") || "nobody";
    console.log(`${names(instances)} there; joined: ${names(joined)}, left: ${names(left)}`);
    if (left.length > 0) await second.deregister();
    if (instances.length === 1) break;
    healthy = false; // and within a few checks its entry is gone
  }
  // prints web-1 and web-2 there; joined: web-1 and web-2, left: nobody
  // prints web-1 there; joined: nobody, left: web-2

  await Promise.all([clients.close(), servers.close()]);
  console.log(`after both have closed: ${(await createDiscovery(store).instances("web")).length} instances`);
  // prints after both have closed: 0 instances
} finally {
  await store.close();
}

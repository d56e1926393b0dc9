/**
 * An instance of a service. Arguments: the store's URL, the id, and the ttl in milliseconds. Prints "registered" when its
 * entry is there, and from then on each state that the registration comes to. Deregisters when it gets SIGTERM.
 */
import { connect } from "../../../src/connect.js";
import { createDiscovery } from "../../../src/recipes/index.js";

const [url, id, ttlMs] = process.argv.slice(2);
const store = await connect(url!);
const discovery = createDiscovery(store, { deregisterOn: ["SIGTERM"] });
const registration = await discovery.register({
  service: "web",
  id: id!,
  address: "127.0.0.1",
  port: 80,
  ttlMs: Number(ttlMs),
});
process.stdout.write("registered\n");
registration.onStateChange(({ state }) => process.stdout.write(`${state}\n`));

/**
 * Two discoveries that deregister on SIGTERM. Argument: "once" for a program that also listens itself. Prints "ready", and
 * then what happens.
 */
import { writeSync } from "node:fs";
import { createMemoryStore } from "../../src/bolt/memory.js";
import { createDiscovery } from "../../src/recipes/index.js";
import { sleep } from "../../src/util/sleep.js";

const store = await createMemoryStore();
if (process.argv[2] === "once") {
  process.once("SIGTERM", () => {
    void sleep(200).then(() => {
      writeSync(1, "the program's own end\n");
      process.exit(7);
    });
  });
}
for (const id of ["a", "b"]) {
  const discovery = createDiscovery(store, { deregisterOn: ["SIGTERM"] });
  const registration = await discovery.register({ service: "web", id, address: "127.0.0.1", port: 80 });
  registration.onStateChange(({ state }) => writeSync(1, `${id} is ${state}\n`));
}
writeSync(1, "ready\n");

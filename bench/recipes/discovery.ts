import { connect } from "kvasir";
import { createDiscovery, type ServiceChange } from "kvasir/recipes";
import type { Measure } from "../harness/row.js";
import { median } from "../harness/side.js";
import type { BenchBackend } from "./backends.js";

const instances = 1_000;
const changes = 50;

/** From asking for a registration until a watcher of a service with 1,000 instances has it: the median, in milliseconds. */
export function discoveryLatency({ name, url }: BenchBackend): Measure[] {
  return [
    {
      name: `discovery on ${name}, until a watcher of 1,000 instances sees another`,
      unit: "ms",
      limit: 500,
      ours: async () => {
        const [store, watching] = await Promise.all([connect(url), connect(url)]);
        const puts = Array.from({ length: instances }, (_, index) =>
          store.put(`services/web/web-${index}`, JSON.stringify({ address: "10.0.0.7", port: index })),
        );
        await Promise.all(puts);
        const discovery = createDiscovery(store);
        const watch = createDiscovery(watching).watch("web")[Symbol.asyncIterator]();
        const first = await watch.next();
        if (first.value?.instances.length !== instances) throw new Error("the watcher does not see all instances");
        const times: number[] = [];
        for (let change = 0; change < changes; change++) {
          const id = `new-${change}`;
          const start = performance.now();
          const registering = discovery.register({ service: "web", id, address: "10.0.0.8", port: 80, ttlMs: 60_000 });
          for (;;) {
            const { value } = (await watch.next()) as { value: ServiceChange | undefined };
            if (value?.joined.some((instance) => instance.id === id) === true) break;
          }
          times.push(performance.now() - start);
          await (await registering).deregister();
        }
        await watch.return?.();
        await discovery.close();
        await store.deleteTree("services");
        await Promise.all([store.close(), watching.close()]);
        return median(times);
      },
    },
  ];
}

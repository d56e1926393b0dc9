import type { Driver } from "../../../../src/core/driver.js";
import { ManagedStore } from "../../../../src/core/managed-store.js";
import type { Store } from "../../../../src/core/store.js";
import type { Factory, Timing } from "../../../../src/testing/index.js";
import { systemClock } from "../../../../src/util/clock.js";
import { ModelDriver } from "./driver.js";
import { ModelServer } from "./server.js";

export interface ModelFactoryOptions {
  /** A broken driver instead of the good one. */
  driver?: ((server: ModelServer) => Driver) | undefined;
  /** Breaks the store itself. */
  wrap?: ((store: Store) => Store) | undefined;
  timing?: Partial<Timing> | undefined;
}

/** The core on the model driver: a fresh server for each case. */
export function modelFactory(options: ModelFactoryOptions = {}): Factory {
  const createDriver = options.driver ?? ((server) => new ModelDriver(server));
  const wrap = options.wrap ?? ((store) => store);
  return {
    name: "model",
    abilities: ["suspend", "options"],
    create: async () => {
      const server = new ModelServer(systemClock);
      const open = (settings = {}): Store => wrap(new ManagedStore(createDriver(server), settings));
      const store = open();
      return {
        store,
        timing: { ttlMs: 120, ...options.timing },
        another: async (settings) => open(settings),
        suspend: async () => server.cut(),
        resume: async () => server.heal(),
        close: () => store.close(),
      };
    },
  };
}

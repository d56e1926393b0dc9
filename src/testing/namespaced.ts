import type { Store } from "../core/store.js";
import type { Factory, Fixture, SuiteStoreOptions } from "./fixture.js";

/** Where the suite puts the namespace: two segments, so that stripping the prefix is seen to work. */
export const suiteNamespace = "suite/inner";

/** The same backend, seen through `namespace()`: the whole contract holds there too. */
export function inNamespace(factory: Factory): Factory {
  return {
    name: factory.name,
    abilities: factory.abilities,
    create: async () => wrap(await factory.create()),
  };
}

function wrap(fixture: Fixture): Fixture {
  const opened: Store[] = [];
  const wrapped: Fixture = {
    store: fixture.store.namespace(suiteNamespace),
    timing: fixture.timing,
    another: async (options?: SuiteStoreOptions) => {
      const store = await fixture.another(options);
      opened.push(store);
      return store.namespace(suiteNamespace);
    },
    close: async () => {
      await Promise.all(opened.map((store) => store.close()));
      await fixture.close();
    },
  };
  if (fixture.suspend !== undefined) wrapped.suspend = () => fixture.suspend!();
  if (fixture.resume !== undefined) wrapped.resume = () => fixture.resume!();
  return wrapped;
}

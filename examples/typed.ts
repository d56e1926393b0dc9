// A key that holds JSON of a known shape, checked on the way in and on the way out. Runs on a file of its own, or on the
// store that KVASIR_URL names: npx tsx examples/typed.ts
import { connect } from "kvasir";
import { InvalidValueError, type StandardSchema, typed } from "kvasir/recipes";

interface Settings {
  level: string;
  workers: number;
}

// With zod, valibot or arktype this is a line, such as z.object({ level: z.string(), workers: z.number() }). Any validator
// that follows the Standard Schema specification will do, one's own as well:
const schema: StandardSchema<Settings> = {
  "~standard": {
    version: 1,
    vendor: "this example",
    validate: (value) => {
      const { level, workers } = (value ?? {}) as Partial<Settings>;
      if (typeof level !== "string") return { issues: [{ message: "level is a text", path: ["level"] }] };
      if (typeof workers !== "number") return { issues: [{ message: "workers is a number", path: ["workers"] }] };
      return { value: { level, workers } };
    },
  },
};

const store = await connect(process.env["KVASIR_URL"] ?? "bolt:./typed.db");
try {
  const settings = typed(store, "config/app", schema);
  await settings.put({ level: "info", workers: 4 });
  const now = await settings.get();
  console.log(now?.level, now?.workers); // prints info 4

  // Read, change, compare and set; again when another was faster.
  const more = await settings.update((current) => ({ ...current!, workers: current!.workers + 1 }));
  console.log(more?.workers); // prints 5

  try {
    await settings.put({ level: "debug", workers: "many" } as never);
  } catch (error) {
    if (!(error instanceof InvalidValueError)) throw error;
    console.log(error.message);
    // prints the value to write at key "config/app" is not valid, at workers; issues says why
    console.log(error.issues[0]?.message); // prints workers is a number
  }

  // Another program writes something else: whoever watches is told, and goes on with the next good value.
  const watch = settings.watch({ onInvalid: ({ key }) => console.log(`a bad value at ${key}, the last one stays`) });
  let first = true;
  for await (const value of watch) {
    console.log(`workers: ${value?.workers}`);
    if (value?.workers === 6) break;
    if (first) {
      await store.put("config/app", "not JSON");
      await settings.put({ level: "info", workers: 6 });
    }
    first = false;
  }
  // prints workers: 5
  // prints a bad value at config/app, the last one stays
  // prints workers: 6
} finally {
  await store.close();
}

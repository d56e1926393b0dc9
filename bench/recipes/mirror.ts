import { connect } from "kvasir";
import { createMirror } from "kvasir/recipes";
import type { Measure } from "../harness/row.js";
import type { BenchBackend } from "./backends.js";

const directory = "bench/mirror";
const keys = Array.from({ length: 1_000 }, (_, index) => `${directory}/${index.toString().padStart(4, "0")}`);
const reads = 5_000_000;

/** How long one read of a mirror of 1,000 keys takes: 1,000 divided by it are millions of reads a second. */
export function mirrorReads({ name, url }: BenchBackend): Measure[] {
  return [
    {
      name: `a read of a mirror on ${name}`,
      unit: "ns",
      limit: 1_000,
      ours: async () => {
        const store = await connect(url);
        await Promise.all(keys.map((key) => store.put(key, key)));
        const mirror = createMirror(store, directory);
        await mirror.ready;
        let nanoseconds = 0;
        // The first round is for the compiler.
        for (let round = 0; round < 2; round++) {
          const start = performance.now();
          for (let read = 0; read < reads; read++) {
            const key = keys[read % keys.length]!;
            if (mirror.get(key) !== key) throw new Error(`${key} has another value in the mirror`);
          }
          nanoseconds = ((performance.now() - start) * 1e6) / reads;
        }
        mirror.close();
        await store.close();
        return nanoseconds;
      },
    },
  ];
}

// Counting together, numbers that are given once, and a point that all pass together. Runs on a file of its own, or on
// the store that KVASIR_URL names: npx tsx examples/counter.ts
import { connect } from "kvasir";
import { createBarrier, createCounter, createSequence } from "kvasir/recipes";

const store = await connect(process.env["KVASIR_URL"] ?? "bolt:./counter.db");
try {
  // A thousand additions at once are a few compare-and-sets, and each gets a count of its own.
  const visits = createCounter(store, "visits");
  const before = await visits.value();
  const counts = await Promise.all(Array.from({ length: 1_000 }, () => visits.add()));
  console.log(`${new Set(counts).size} counts, the last is ${counts.at(-1)! - before} higher than before`);
  // prints 1000 counts, the last is 1000 higher than before

  // Numbers for orders, taken from the store a hundred at a time.
  const orders = createSequence(store, "orders/id", { block: 100 });
  const [first, second] = [await orders.next(), await orders.next()];
  console.log(`the second number is ${second - first} higher than the first`);
  // prints the second number is 1 higher than the first

  // Three workers begin together, and none goes on before all have ended. They would be in processes of their own.
  const barrier = createBarrier(store, "steps/1", 3, { ttlMs: 10_000 });
  let there = 0;
  let ended = 0;
  await Promise.all(
    [1, 2, 3].map(async (worker) => {
      there++;
      const visit = await barrier.enter({ timeoutMs: 30_000 });
      if (worker === 1) console.log(`all there: ${there}`);
      // prints all there: 3
      ended++;
      await visit.leave({ timeoutMs: 30_000 });
      if (worker === 1) console.log(`all ended: ${ended}`);
      // prints all ended: 3
    }),
  );
} finally {
  await store.close();
}

// One leader at a time among all who stand, and another when it gives up. Runs on a file of its own, or on the store that
// KVASIR_URL names: npx tsx examples/election.ts
import { setTimeout as sleep } from "node:timers/promises";
import { connect } from "kvasir";
import { createCandidate, type Term } from "kvasir/recipes";

const store = await connect(process.env["KVASIR_URL"] ?? "bolt:./election.db");
try {
  // Both would be in processes of their own, on machines of their own.
  const alice = createCandidate(store, "jobs/leader", { id: "alice", ttlMs: 10_000 });
  const bob = createCandidate(store, "jobs/leader", { id: "bob", ttlMs: 10_000 });

  const tokens: bigint[] = [];
  const lead = async (term: Term): Promise<void> => {
    console.log(`${term.id} leads, and all can see it: ${await bob.leader()}`);
    // Hand the token to whatever you write to, so that it can refuse a leader of the past.
    tokens.push(term.token);
    for (let step = 1; step <= 2 && !term.signal.aborted; step++) {
      await sleep(10);
      if (!term.held) return; // asked after every pause: looks at the clock
      console.log(`${term.id}, step ${step}`);
    }
    if (term.id === "bob") void Promise.all([alice.stop(), bob.stop()]);
    // Who returns gives the leadership up; who is still a candidate stands again a second later.
  };

  await Promise.all([alice.run(lead), bob.run(lead)]);
  // prints alice leads, and all can see it: alice
  // prints alice, step 1
  // prints alice, step 2
  // prints bob leads, and all can see it: bob
  // prints bob, step 1
  // prints bob, step 2
  console.log(`tokens grow: ${tokens[1]! > tokens[0]!}; now leads: ${(await alice.leader()) ?? "nobody"}`);
  // prints tokens grow: true; now leads: nobody
} finally {
  await store.close();
}

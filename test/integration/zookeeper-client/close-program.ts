import { connect } from "../../../src/zookeeper/client/index.js";

/** Closes a client and says how long after that the process ended by itself: `close-program.ts host:port state`. */
const [, , servers = "", state = ""] = process.argv;

async function main(): Promise<void> {
  const client = await connect({ servers, closeTimeoutMs: 100 });
  await client.create("/close-program-", null, { mode: "ephemeralSequential" });
  await client.addWatch("/", () => {}, { recursive: true });
  const pending = client.getData("/", { timeoutMs: 600_000 }).catch(() => {});
  if (state === "suspended") {
    const suspended = new Promise<void>((resolve) => {
      client.onStateChange((change) => {
        if (change.state.name === "suspended") resolve();
      });
    });
    const thief = await connect({ servers, session: client.sessionCredentials });
    await suspended;
    await thief.close();
  }
  await pending;
  await client.close();
  const closedAt = performance.now();
  process.on("exit", () => console.log(String(performance.now() - closedAt)));
}

void main();

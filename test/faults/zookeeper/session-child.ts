import { connect } from "../../../src/zookeeper/client/index.js";

/** Holds an ephemeral node and says each state it comes to: `session-child.ts host:port path`. */
const [, , servers = "", path = ""] = process.argv;

async function main(): Promise<void> {
  const client = await connect({ servers, sessionTimeoutMs: 1_500 });
  client.onStateChange(({ state, newSession }) => {
    console.log(state.name === "connected" ? `connected ${newSession ? "anew" : "again"}` : state.name);
  });
  await client.create(path, null, { mode: "ephemeral" });
  await client.exists(`${path}-watched`, { watch: (event) => console.log(event.type) });
  console.log("ready");
}

void main();

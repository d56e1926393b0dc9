import type { Capabilities } from "../../core/capabilities.js";
import type { Context } from "../context.js";
import { type Configure, examples } from "../define.js";
import { formatDuration } from "../durations.js";
import { withStore } from "../open-store.js";
import { redactCredentials } from "../redact.js";

export const configure: Configure = (command, bind) => {
  command
    .addHelpText(
      "after",
      examples([
        ["kvasir status", "exit code 0 when the store answers, 3 when not"],
        ["kvasir status --json | jq .latencyMs", "for a probe"],
      ]),
    )
    .action(
      bind((context) =>
        withStore(context, "read", async (store) => {
          const startedAt = performance.now();
          await store.ping(context.call);
          const latencyMs = Math.round((performance.now() - startedAt) * 1_000) / 1_000;
          const { backend, state, capabilities } = store;
          await printStatus(context, { backend, state, latencyMs, capabilities });
        }),
      ),
    );
};

/** What is longer than this has no limit that anybody meets. */
const hundredYearsMs = 100 * 365 * 86_400_000;

interface Status {
  backend: string;
  state: string;
  latencyMs: number;
  capabilities: Capabilities;
}

async function printStatus({ output, url }: Context, status: Status): Promise<void> {
  const { backend, state, latencyMs, capabilities } = status;
  const endpoint = redactCredentials(url ?? "");
  if (output.json) return output.record({ backend, endpoint, state, latencyMs, capabilities });
  const rows: [string, string][] = [
    ["backend", backend],
    ["endpoint", output.escape(endpoint)],
    ["state", output.paint(state === "connected" ? "green" : "yellow", state)],
    ["latency", `${latencyMs} ms`],
    ...capabilityRows(capabilities),
  ];
  for (const [name, text] of rows) await output.line(`${output.paint("dim", name.padEnd(10))}${text}`);
}

function capabilityRows(capabilities: Capabilities): [string, string][] {
  const { keys, values, ttl, watch, compareAndSet, deleteTree, list, scan, atomic, lock } = capabilities;
  const children = { always: "may have keys below them", "not-below-ephemeral": "", never: "" }[keys.withChildren];
  const keyNotes = [
    children ||
      (keys.withChildren === "never" ? "have no keys below them" : "with a ttl or lock have no keys below them"),
    ...keys.refuses.map((phrase) => `not ${phrase}`),
  ];
  return [
    ["keys", keyNotes.join(", ")],
    [
      "values",
      `${values.content === "bytes" ? "any bytes" : "UTF-8 only"}, up to ${values.maxBytes.toLocaleString("en")} bytes`,
    ],
    ["ttl", ttlText(ttl)],
    ["watch", watch === "every-change" ? "every change" : "the latest state"],
    ["compare", `by ${compareAndSet}`],
    [
      "trees",
      `lists ${list.snapshot ? "of one moment" : "piece by piece"}, scans ${scan.boundedMemory ? "in pages" : "in one piece"}, deletes ${deleteTree === "atomic" ? "at once" : "in chunks"}`,
    ],
    [
      "atomic",
      `up to ${atomic.maxOperations.toLocaleString("en")} operations${atomic.acrossKeys ? "" : " on one key"}`,
    ],
    ["lock", lock.fair ? "waiters are served in order" : "any waiter may be next"],
  ];
}

function ttlText(ttl: Capabilities["ttl"]): string {
  const longest = ttl.maximumMs > hundredYearsMs ? "any length" : formatDuration(ttl.maximumMs);
  const parts = [`${formatDuration(ttl.minimumMs)} to ${longest}`];
  if (ttl.granularityMs > 1) parts.push(`in steps of ${formatDuration(ttl.granularityMs)}`);
  if (!ttl.outlivesWriter) parts.push("ends with its writer");
  if (ttl.lateByFactor > 1) parts.push(`up to ${ttl.lateByFactor} times as long after a crash`);
  return parts.join(", ");
}

// Runs the conformance suite on every server version of test/servers/releases.ts and writes the table of versions tested
// into docs/platforms.md, between the markers. Rows that were not run keep what they have.
//
//   node scripts/test-matrix.mjs                    all of them
//   node scripts/test-matrix.mjs consul etcd2       only the rows of these stores
//   node scripts/test-matrix.mjs "etcd 3.5.30"      only this server
//   node scripts/test-matrix.mjs etcd --faults      the fault tests instead, where they can be run on any version
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";

const root = path.resolve(import.meta.dirname, "..");
const page = path.join(root, "docs/platforms.md");
const [start, end] = ["<!-- matrix:start -->", "<!-- matrix:end -->"];

const etcd = (version) => ({
  server: `etcd ${version}`,
  store: "etcd",
  env: { KVASIR_TEST_ETCD_VERSION: version },
  suite: "test/integration/etcd.test.ts",
  // With the slash, for there is an etcd2 beside it.
  faults: "test/faults/etcd/",
});
const consul = (version, sessionTtlMin) => ({
  server: `Consul ${version}, session_ttl_min ${sessionTtlMin === "default" ? "10 s (default)" : "1 s"}`,
  store: "consul",
  env: { KVASIR_TEST_CONSUL_VERSION: version, KVASIR_TEST_CONSUL_SESSION_TTL_MIN: sessionTtlMin },
  suite: "test/integration/consul.test.ts",
});
const zookeeper = (version) => ({
  server: `ZooKeeper ${version}`,
  store: "zookeeper",
  env: { KVASIR_TEST_ZOOKEEPER_VERSION: version },
  suite: "test/integration/zookeeper.test.ts",
});

const rows = [
  etcd("3.4.23"),
  etcd("3.5.16"),
  etcd("3.5.30"),
  // These two name their version themselves.
  { server: "etcd 3.3.25", store: "etcd2", env: {}, suite: "test/integration/etcd2.test.ts" },
  { server: "etcd 3.4.23 --enable-v2", store: "etcd2", env: {}, suite: "test/integration/etcd2-on-3.4.test.ts" },
  consul("1.8.7", "1s"),
  consul("1.8.7", "default"),
  zookeeper("3.4.13"),
  zookeeper("3.8.0"),
  zookeeper("3.9.3"),
];

const columns = ["server", "store", "contract", "faults", "Node", "on"];

const { values: options, positionals: wanted } = parseArgs({
  allowPositionals: true,
  options: { faults: { type: "boolean", default: false } },
});
const kind = options.faults ? "faults" : "suite";
const chosen = rows.filter(
  (row) => row[kind] !== undefined && (wanted.length === 0 || wanted.some((name) => isNamed(row, name))),
);
if (chosen.length === 0) throw new Error(`no row for ${wanted.join(", ")}; there are ${rows.map(nameOf).join("; ")}`);

function isNamed({ server, store }, name) {
  return store === name || server === name;
}

function nameOf({ server, store }) {
  return `${server} (${store})`;
}

/** Suites mostly wait for ttls, so that two at a time take half as long. */
const atOnce = 2;

/** How many tests passed, and of how many; a run without any is a failure. */
async function run(row) {
  const folder = mkdtempSync(path.join(tmpdir(), "kvasir-matrix-"));
  const result = path.join(folder, "result.json");
  const project = kind === "suite" ? "integration" : "faults";
  const vitest = path.join(root, "node_modules", "vitest", "vitest.mjs");
  const reporters = ["--reporter=dot", "--reporter=json", `--outputFile.json=${result}`];
  try {
    const child = spawn(process.execPath, [vitest, "run", "--project", project, ...reporters, row[kind]], {
      cwd: root,
      stdio: ["ignore", "pipe", "pipe"],
      // A suite is to be run on the version it is for, and not be left out.
      env: { ...process.env, KVASIR_SKIP: "", ...row.env },
    });
    // Of two at a time each is printed when it is over.
    const printed = [];
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => printed.push(chunk));
    await once(child, "close");
    console.log(`\n== ${nameOf(row)}, ${kind}\n${Buffer.concat(printed).toString()}`);
    if (!existsSync(result)) return { passed: 0, total: 0, good: false };
    const { numPassedTests, numTotalTests, success } = JSON.parse(readFileSync(result, "utf8"));
    return { passed: numPassedTests, total: numTotalTests, good: success && numPassedTests === numTotalTests };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The rows that the page has now, by their first two cells. */
function readTable(text) {
  const lines = text
    .slice(text.indexOf(start) + start.length, text.indexOf(end))
    .trim()
    .split("\n");
  const cells = lines.slice(2).map((line) =>
    line
      .split("|")
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
  return new Map(cells.map((row) => [`${row[0]} (${row[1]})`, row]));
}

function writeTable(name, column, cell) {
  const text = readFileSync(page, "utf8");
  if (text.indexOf(start) === -1 || text.indexOf(end) < text.indexOf(start)) throw new Error(`${page} has no markers`);
  const before = readTable(text);
  const lines = rows.map((row) => {
    const line = before.get(nameOf(row)) ?? [row.server, row.store, "", "", "", ""];
    if (nameOf(row) !== name) return line;
    const changed = line.with(columns.indexOf(column), cell);
    return changed.with(4, process.versions.node).with(5, new Date().toISOString().slice(0, 10));
  });
  const table = [columns, columns.map(() => "---"), ...lines].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
  const after = `${text.slice(0, text.indexOf(start) + start.length)}\n\n${table}\n\n${text.slice(text.indexOf(end))}`;
  writeFileSync(page, after);
}

const said = new Map();
const waiting = [...chosen];

async function runNext() {
  for (let row = waiting.shift(); row !== undefined; row = waiting.shift()) {
    const { passed, total, good } = await run(row);
    const cell = good ? `✓ ${passed}` : `**${total - passed} of ${total} fail**`;
    writeTable(nameOf(row), kind === "suite" ? "contract" : "faults", cell);
    said.set(row, `${nameOf(row)}: ${cell}`);
    if (!good) process.exitCode = 1;
  }
}

await Promise.all(Array.from({ length: atOnce }, runNext));
console.log(`\n${chosen.map((row) => said.get(row)).join("\n")}`);

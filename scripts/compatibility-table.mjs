// Makes the compatibility tables from what the conformance suite found, which the integration tests leave in
// .cache/conformance: one column for each backend, one row for each group of cases and for each capability.
//
//   node scripts/compatibility-table.mjs            writes docs/compatibility.md and the README, between the markers
//   node scripts/compatibility-table.mjs --check    fails when they are out of date
//
// Backends that were not tested here keep the column they have, so that one can run with only some servers at hand;
// `--fresh` drops such columns. `--results`, `--docs` and `--readme` name other places.
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";

const { values: options } = parseArgs({
  options: {
    check: { type: "boolean", default: false },
    fresh: { type: "boolean", default: false },
    results: { type: "string", default: ".cache/conformance" },
    docs: { type: "string", default: "docs/compatibility.md" },
    readme: { type: "string", default: "README.md" },
  },
});

const start = "<!-- compatibility:start -->";
const end = "<!-- compatibility:end -->";
/** Backends come in this order, others after them by name. */
const order = ["bolt", "memory", "etcd", "etcd2", "consul", "zookeeper"];
/** The groups that stand in the README: those named for a call or a promise that users look for. */
const inReadme = [
  ["put", "get", "exists", "delete", "list", "keys", "scan", "deleteTree"],
  ["atomicPut", "atomicDelete", "update", "atomic"],
  ["watch", "watchTree", "lock", "contention for a lock", "ttl", "keepAlive", "namespace"],
].flat();

/** The facts of the capabilities, each a row. */
const capabilityRows = {
  "a key and keys below it": (c) => c.keys.withChildren.replaceAll("-", " "),
  "refuses keys with": (c) => (c.keys.refuses.length === 0 ? "nothing more" : c.keys.refuses.join("; ")),
  "largest value": (c) => bytes(c.values.maxBytes),
  "values are": (c) => (c.values.content === "bytes" ? "any bytes" : "UTF-8 text"),
  "shortest ttl": (c) => duration(c.ttl.minimumMs),
  "longest ttl": (c) => duration(c.ttl.maximumMs),
  "ttls are rounded up to": (c) => duration(c.ttl.granularityMs),
  "a key with a ttl outlives its writer": (c) => yesNo(c.ttl.outlivesWriter),
  "an expired key of a dead writer goes": (c) =>
    c.ttl.lateByFactor === 1 ? "on time" : `within ${c.ttl.lateByFactor} ttls`,
  "a renewal keeps the revision": (c) => yesNo(c.ttl.renewalKeepsRevision),
  "a watch shows": (c) => c.watch.replaceAll("-", " "),
  "compare-and-set compares": (c) => c.compareAndSet,
  deleteTree: (c) => c.deleteTree,
  "a list is the state of one moment": (c) => yesNo(c.list.snapshot),
  "a scan is the state of one moment": (c) => yesNo(c.scan.snapshot),
  "a scan's memory is bounded": (c) => yesNo(c.scan.boundedMemory),
  "operations in one atomic()": (c) =>
    `up to ${c.atomic.maxOperations.toLocaleString("en")}${c.atomic.acrossKeys ? "" : ", of one key"}`,
  "waiters for a lock are served": (c) => (c.lock.fair ? "in order" : "in any order"),
};

function bytes(count) {
  const [unit, size] = count >= 2 ** 20 ? ["MiB", 2 ** 20] : count >= 2 ** 10 ? ["KiB", 2 ** 10] : ["bytes", 1];
  return `${Number((count / size).toFixed(1)).toLocaleString("en")} ${unit}`;
}

function duration(ms) {
  if (ms >= 1e12) return "no limit";
  const units = [
    ["h", 3_600_000],
    ["min", 60_000],
    ["s", 1_000],
  ];
  const [unit, size] = units.find(([, size]) => ms >= size && ms % size === 0) ?? ["ms", 1];
  return `${(ms / size).toLocaleString("en")} ${unit}`;
}

function yesNo(fact) {
  return fact ? "yes" : "no";
}

/** All reports, by backend: the plain one and the one in a namespace. */
function readReports(folder) {
  const reports = new Map();
  for (const file of existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith(".json")) : []) {
    const report = JSON.parse(readFileSync(join(folder, file), "utf8"));
    if (report.results.length !== report.cases) {
      throw new Error(
        `${join(folder, file)} has ${report.results.length} of ${report.cases} cases: run the whole suite`,
      );
    }
    const both = reports.get(report.name) ?? {};
    both[report.namespaced ? "namespaced" : "plain"] = report;
    reports.set(report.name, both);
  }
  return reports;
}

/** How many cases passed, in as few words as possible. */
function verdict(results) {
  const passed = results.filter(({ status }) => status === "passed").length;
  const failed = results.filter(({ status }) => status === "failed").length;
  const notRun = results.find(({ status }) => status === "not-run");
  if (failed > 0) return `**${failed} of ${results.length} fail**`;
  if (passed === 0 && notRun !== undefined) return `not run: ${notRun.reason}`;
  return notRun === undefined ? `✓ ${passed}` : `✓ ${passed}, ${results.length - passed} not run`;
}

/** The cells of one backend: row by row, for each table. */
function columnsOf({ plain, namespaced }) {
  const groups = groupBy(plain.results);
  const cases = new Map([...groups].map(([group, results]) => [group, verdict(results)]));
  if (namespaced !== undefined) cases.set("all of these in a namespace", verdict(namespaced.results));
  const facts = new Map(Object.entries(capabilityRows).map(([row, tell]) => [row, tell(plain.capabilities)]));
  return { cases, facts };
}

function groupBy(results) {
  const groups = new Map();
  for (const result of results) groups.set(result.group, [...(groups.get(result.group) ?? []), result]);
  return groups;
}

/** The tables of a text, each a map from column to a map from row to cell. */
function parseTables(text) {
  return text
    .split(/\n\s*\n/)
    .filter((block) => block.startsWith("|"))
    .map((block) => {
      const [header, , ...rows] = block
        .trim()
        .split("\n")
        .map((line) =>
          line
            .split("|")
            .slice(1, -1)
            .map((cell) => cell.trim()),
        );
      return new Map(header.slice(1).map((name, at) => [name, new Map(rows.map((row) => [row[0], row[at + 1]]))]));
    });
}

function formatTable(corner, columns) {
  const names = [...columns.keys()].sort((left, right) => rank(left) - rank(right) || left.localeCompare(right));
  const rows = [...new Set(names.flatMap((name) => [...columns.get(name).keys()]))];
  const line = (cells) => `| ${cells.join(" | ")} |`;
  return [
    line([corner, ...names]),
    line(["---", ...names.map(() => "---")]),
    ...rows.map((row) => line([row, ...names.map((name) => columns.get(name).get(row) ?? "")])),
  ].join("\n");
}

function rank(name) {
  const at = order.indexOf(name.split(" ")[0]);
  return at === -1 ? order.length : at;
}

/** The text with its marked part replaced; `render` gets the tables that stand there now. */
function replaceMarked(path, render) {
  const text = readFileSync(path, "utf8");
  const [from, to] = [text.indexOf(start), text.indexOf(end)];
  if (from === -1 || to < from) throw new Error(`${path} lacks the markers ${start} and ${end}`);
  const kept = options.fresh ? [] : parseTables(text.slice(from + start.length, to).trim());
  return { path, before: text, after: `${text.slice(0, from + start.length)}\n\n${render(kept)}\n\n${text.slice(to)}` };
}

function merge(kept, columns) {
  return new Map([...(kept ?? []), ...columns]);
}

const reports = [...readReports(options.results)].filter(([, { plain }]) => plain !== undefined);
if (reports.length === 0) throw new Error(`no results in ${options.results}: run the integration tests first`);
const columns = reports.map(([name, report]) => [name, columnsOf(report)]);
const caseColumns = columns.map(([name, { cases }]) => [name, cases]);
const factColumns = columns.map(([name, { facts }]) => [name, facts]);
const readmeColumns = caseColumns.map(([name, cases]) => [
  name,
  new Map(inReadme.filter((group) => cases.has(group)).map((group) => [group, cases.get(group)])),
]);

const pages = [
  replaceMarked(options.docs, ([cases, facts]) =>
    [formatTable("cases", merge(cases, caseColumns)), formatTable("capability", merge(facts, factColumns))].join(
      "\n\n",
    ),
  ),
  ...(existsSync(options.readme)
    ? [replaceMarked(options.readme, ([cases]) => formatTable("cases", merge(cases, readmeColumns)))]
    : []),
];

for (const { path, before, after } of pages) {
  if (before === after) continue;
  if (!options.check) writeFileSync(path, after);
  else {
    console.error(`${path} is out of date: run node scripts/compatibility-table.mjs`);
    process.exitCode = 1;
  }
}
console.log(
  `${options.check ? "checked" : "wrote"} ${pages.map(({ path }) => path).join(", ")}: ${reports.map(([name]) => name).join(", ")}`,
);

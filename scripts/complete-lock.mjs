// Adds to package-lock.json the optional packages of other platforms that npm left out. A registry that does not carry
// them all makes `npm install` write a lock file without them, which `npm ci` then refuses on every machine. They are
// named with their version and platform; a machine of that platform fetches them, others never ask for them.
//
//   npm install && node scripts/complete-lock.mjs
import { readFileSync, writeFileSync } from "node:fs";

const systems = ["aix", "android", "darwin", "freebsd", "linux", "netbsd", "openbsd", "openharmony", "sunos", "win32"];
const processors = ["arm64", "arm", "ia32", "loong64", "mips64el", "ppc64", "riscv64", "s390x", "wasm32", "x64"];

/** The platform that a package's name speaks of, as npm's `os`, `cpu` and `libc`. */
function platformOf(name) {
  const words = name.split(/[/@._-]/).map((word) => word.replace(/^armv7$|^armhf$/, "arm").replace(/^armv6$/, "arm"));
  const os = systems.filter((system) => words.includes(system));
  const cpu = processors.filter((processor) => words.includes(processor));
  const libc = words.includes("musl")
    ? ["musl"]
    : words.includes("gnu") || words.includes("gnueabihf")
      ? ["glibc"]
      : [];
  return { ...(os.length > 0 && { os }), ...(cpu.length > 0 && { cpu }), ...(libc.length > 0 && { libc }) };
}

const lock = JSON.parse(readFileSync("package-lock.json", "utf8"));
const { packages } = lock;
const added = [];
for (const [folder, { optionalDependencies = {}, dev }] of Object.entries(packages)) {
  for (const [name, version] of Object.entries(optionalDependencies)) {
    const own = `${folder === "" ? "" : `${folder}/`}node_modules/${name}`;
    const shared = `node_modules/${name}`;
    if (packages[own] !== undefined || packages[shared] !== undefined) continue;
    const platform = platformOf(name);
    if (platform.os === undefined && platform.cpu === undefined) throw new Error(`of which platform is ${name}?`);
    packages[shared] = { version: version.replace(/^[~^]/, ""), ...(dev && { dev }), optional: true, ...platform };
    added.push(`${name}@${version}`);
  }
}
lock.packages = Object.fromEntries(Object.entries(packages).sort(([left], [right]) => (left < right ? -1 : 1)));
writeFileSync("package-lock.json", `${JSON.stringify(lock, null, 2)}\n`);
console.log(added.length === 0 ? "complete" : `added ${added.join(", ")}`);

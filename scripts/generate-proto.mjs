// Writes src/etcd/client/generated (or the folder named) from proto/etcd: `node scripts/generate-proto.mjs [folder]`.
// Needs no network: the module, the compiler and the plugin are all local. The result is committed, so only a change of
// proto/ calls for it.
import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";

const proto = fileURLToPath(new URL("../proto", import.meta.url));
const buf = fileURLToPath(new URL("../node_modules/.bin/buf", import.meta.url));
const output = process.argv[2] ?? fileURLToPath(new URL("../src/etcd/client/generated", import.meta.url));

for (const args of [["lint"], ["generate", "--output", output]]) {
  execFileSync(buf, args, { cwd: proto, stdio: "inherit" });
}

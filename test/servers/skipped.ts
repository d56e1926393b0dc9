/** The backends that need a server. */
export type ServedBackend = "etcd" | "consul" | "zookeeper";

/**
 * Whether the person who runs the tests has left a backend out with `KVASIR_SKIP=consul,etcd`. Says so on stderr every
 * time, as a run with a backend left out proves less than it seems to.
 */
export function skipped(backend: ServedBackend): boolean {
  const names = (process.env["KVASIR_SKIP"] ?? "").split(",").map((name) => name.trim());
  if (!names.includes(backend)) return false;
  process.stderr.write(`\n*** KVASIR_SKIP: the tests against ${backend} are LEFT OUT of this run ***\n\n`);
  return true;
}

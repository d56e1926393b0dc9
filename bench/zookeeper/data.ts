/** How many of the harness's keys are on the server. */
export const benchKeys = 10_000;

/** The directory of the tree that is listed. */
export const treeDirectory = "bench/tree";

/** A tree of 10,000 keys on three levels: 20 directories of 25 directories of 20 keys. */
export const treeKeys: readonly string[] = Array.from({ length: 10_000 }, (_, at) => {
  const [outer, inner, leaf] = [Math.floor(at / 500), Math.floor(at / 20) % 25, at % 20];
  return `${treeDirectory}/${digits(outer)}/${digits(inner)}/${digits(leaf)}`;
});

function digits(number: number): string {
  return String(number).padStart(2, "0");
}

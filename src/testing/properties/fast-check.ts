/**
 * The part of fast-check that the suite uses, described by its shape: authors of backends bring their own, and Kvasir
 * does not depend on it. Pass the module itself: `import fc from "fast-check"`.
 */
export interface FastCheck {
  nat(max: number): unknown;
  tuple(...parts: never[]): unknown;
  array(item: never, limits: { minLength: number; maxLength: number }): unknown;
  asyncProperty(arbitrary: never, predicate: (value: never) => Promise<void>): unknown;
  assert(property: never, parameters: { numRuns: number; endOnFailure?: boolean }): unknown;
}

/**
 * Runs the predicate on random lists of rows, each row one natural number below each of the limits, and shrinks what
 * fails. Numbers are all the suite asks for: what they mean is decided by the caller, so that a failure shrinks to the
 * first entries of its tables.
 */
export async function forRandomRows(
  fc: FastCheck,
  limits: readonly number[],
  shape: { runs: number; rows: number },
  predicate: (rows: readonly (readonly number[])[]) => Promise<void>,
): Promise<void> {
  const row = fc.tuple(...limits.map((limit) => fc.nat(limit - 1) as never));
  const rows = fc.array(row as never, { minLength: 1, maxLength: shape.rows });
  const property = fc.asyncProperty(rows as never, predicate);
  await fc.assert(property as never, { numRuns: shape.runs });
}

/** What one phase gave: operations per second (or a latency in milliseconds), and CPU microseconds per operation. */
export interface Phase {
  figure: number;
  cpuUs: number;
}

/** One side of a row. Works for about so many milliseconds, and checks what it reads. */
export type Side = (milliseconds: number) => Promise<Phase>;

/** A side that is timed from here: `work` gives back how many operations it has done. */
export function throughput(work: (milliseconds: number) => Promise<number>): Side {
  return async (milliseconds) => {
    const cpu = process.cpuUsage();
    const start = performance.now();
    const operations = await work(milliseconds);
    const elapsed = performance.now() - start;
    return { figure: (operations / elapsed) * 1_000, cpuUs: cpuSince(cpu) / operations };
  };
}

/** A side whose operations are few and large: `work` is one, of `size` keys; `prepare` and `clear` around it are untimed. */
export function repeated<Prepared>(
  size: number,
  prepare: () => Promise<Prepared>,
  work: (prepared: Prepared) => Promise<unknown>,
  clear?: (prepared: Prepared) => Promise<unknown>,
): Side {
  return async (milliseconds) => {
    let elapsed = 0;
    let cpuUs = 0;
    let times = 0;
    while (elapsed < milliseconds) {
      const prepared = await prepare();
      const cpu = process.cpuUsage();
      const start = performance.now();
      await work(prepared);
      elapsed += performance.now() - start;
      cpuUs += cpuSince(cpu);
      times++;
      await clear?.(prepared);
    }
    return { figure: ((times * size) / elapsed) * 1_000, cpuUs: cpuUs / (times * size) };
  };
}

/**
 * A side that gives back how long each operation took, in milliseconds: the figure is their median, or what the share
 * `quantile` of them took at most.
 */
export function latency(work: (milliseconds: number) => Promise<number[]>, quantile = 0.5): Side {
  return async (milliseconds) => {
    const cpu = process.cpuUsage();
    const times = await work(milliseconds);
    const figure = quantile === 0.5 ? median(times) : quantileOf(times, quantile);
    return { figure, cpuUs: cpuSince(cpu) / times.length };
  };
}

/** As many callers as `inflight`, each starting its next operation when its last one was answered. */
export async function callers(
  inflight: number,
  milliseconds: number,
  operation: () => Promise<unknown>,
): Promise<number> {
  const end = performance.now() + milliseconds;
  let operations = 0;
  const caller = async (): Promise<void> => {
    while (performance.now() < end) {
      await operation();
      operations++;
    }
  };
  await Promise.all(Array.from({ length: inflight }, caller));
  return operations;
}

export function median(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((left, right) => left - right);
  const middle = Math.floor(sorted.length / 2);
  if (sorted.length === 0) throw new Error("there is no median of nothing");
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

function quantileOf(numbers: readonly number[], quantile: number): number {
  const sorted = numbers.toSorted((left, right) => left - right);
  return sorted[Math.min(Math.floor(sorted.length * quantile), sorted.length - 1)]!;
}

function cpuSince(start: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(start);
  return user + system;
}

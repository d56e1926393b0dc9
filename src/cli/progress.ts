import type { Notices } from "./context.js";

/** How far long work has come. */
export interface Progress {
  /** `count` of the unit are done; `position` counts towards the total where there is one. */
  update(count: number, position?: number): void;
  stop(): void;
}

export interface ProgressOptions {
  /** Such as `copied`. */
  readonly action: string;
  /** Such as `keys`. */
  readonly unit: string;
  /** What `position` goes up to; without it only the count is shown. */
  readonly total?: number | undefined;
}

const silent: Progress = { update: () => undefined, stop: () => undefined };

/** A bar on a terminal's standard error; nothing where there is no terminal. */
export async function createProgress(notices: Notices | undefined, options: ProgressOptions): Promise<Progress> {
  if (notices === undefined || !notices.isTerminal) return silent;
  const { default: cliProgress } = await import("cli-progress");
  const { action, unit, total } = options;
  const counter = `{count} ${unit} ${action}, {rate}/s`;
  const bar = new cliProgress.SingleBar({
    format:
      total === undefined
        ? `${counter}, {duration_formatted}`
        : `{bar} {percentage}% | ${counter}, {eta_formatted} left`,
    stream: notices.stream,
    clearOnComplete: true,
    hideCursor: false,
    fps: 10,
    barsize: 30,
    barCompleteChar: "█",
    barIncompleteChar: "░",
    gracefulExit: false,
  });
  const startedAt = performance.now();
  bar.start(total ?? 0, 0, { count: 0, rate: 0 });
  let nextAt = 0;
  return {
    update: (count, position = 0) => {
      // Far more keys a second go by than a terminal can show: look at the clock, and only sometimes.
      if (count < nextAt) return;
      nextAt = count + 500;
      const seconds = Math.max((performance.now() - startedAt) / 1000, 0.001);
      bar.update(position, { count, rate: Math.round(count / seconds) });
    },
    stop: () => bar.stop(),
  };
}

import { defineConfig } from "vitest/config";

/** One project per kind of test, so that each can be run alone: `npx vitest run --project unit`. */
const project = (name: string, settings: { timeoutMs?: number; parallel?: boolean } = {}) => ({
  test: {
    name,
    include: [`test/${name}/**/*.test.ts`],
    testTimeout: settings.timeoutMs ?? 15_000,
    hookTimeout: 120_000,
    fileParallelism: settings.parallel ?? true,
  },
});

export default defineConfig({
  test: {
    pool: "forks",
    maxWorkers: 2,
    projects: [
      project("unit"),
      project("integration", { timeoutMs: 60_000 }),
      project("interop", { timeoutMs: 120_000, parallel: false }),
      project("faults", { timeoutMs: 300_000 }),
      project("package", { timeoutMs: 180_000, parallel: false }),
    ],
  },
});

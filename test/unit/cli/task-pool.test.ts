import { describe, expect, test } from "vitest";
import { TaskPool } from "../../../src/cli/task-pool.js";
import { createDeferred } from "../../../src/util/deferred.js";

describe("the pool of tasks", () => {
  test("asks to wait when it is full, and goes on when one is done", async () => {
    const pool = new TaskPool({ maxTasks: 2, maxBytes: 100 });
    const first = createDeferred<void>();
    const second = createDeferred<void>();
    expect(pool.add(1, () => first.promise)).toBeUndefined();
    const room = pool.add(1, () => second.promise);
    expect(room).toBeInstanceOf(Promise);
    first.resolve();
    await room;
    second.resolve();
    await pool.settle();
  });

  test("bounds bytes as well as tasks", async () => {
    const pool = new TaskPool({ maxTasks: 100, maxBytes: 100 });
    const task = createDeferred<void>();
    expect(pool.add(99, () => Promise.resolve())).toBeUndefined();
    const room = pool.add(1, () => task.promise);
    expect(room).toBeInstanceOf(Promise);
    // The first is done at once and gives its bytes back.
    await room;
    task.resolve();
    await pool.settle();
  });

  test("never runs more than it may, and settle waits for all", async () => {
    const pool = new TaskPool({ maxTasks: 7, maxBytes: 1_000 });
    let running = 0;
    let most = 0;
    let done = 0;
    for (let index = 0; index < 500; index++) {
      const room = pool.add(1, async () => {
        most = Math.max(most, ++running);
        await new Promise((resolve) => setImmediate(resolve));
        running -= 1;
        done += 1;
      });
      if (room !== undefined) await room;
    }
    await pool.settle();
    expect(done).toBe(500);
    expect(most).toBe(7);
  });
});

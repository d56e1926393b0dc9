import { expect, it } from "vitest";
import { connectBolt } from "../../../src/bolt/index.js";
import { open } from "../../../src/bolt/engine/index.js";
import { temporaryFolder } from "./support.js";

const file = temporaryFolder();

it("a bucket that could not be opened while the file was locked can be opened afterwards", async () => {
  const path = file("locked.db");
  await using first = await connectBolt({ path, bucket: "first", shared: true });
  await first.put("a", "1");
  const holder = await open(path);
  const options = { path, bucket: "second", shared: true, connectTimeoutMs: 200 };
  await expect(connectBolt(options)).rejects.toMatchObject({
    code: "FILE_LOCKED",
    message: expect.stringContaining(path),
  });
  await holder.close();
  await using second = await connectBolt(options);
  await second.put("a", "2");
  expect((await first.get("a"))?.text()).toBe("1");
});

it("calls on a file that another holds fail in time, naming it, surely not applied; then work again", async () => {
  const path = file("held.db");
  await using store = await connectBolt({ path, shared: true });
  await store.put("a", "1");
  const holder = await open(path);
  const locked = { code: "FILE_LOCKED", message: expect.stringContaining(path) };
  await expect(store.put("a", "2", { timeoutMs: 300 })).rejects.toMatchObject({ ...locked, outcome: "not-applied" });
  await expect(store.get("a", { timeoutMs: 300 })).rejects.toMatchObject(locked);
  const patient = store.put("a", "3", { timeoutMs: 20_000 });
  await holder.close();
  await patient;
  expect((await store.get("a"))?.text()).toBe("3");
});

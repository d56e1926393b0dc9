import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { FileStorage } from "../../../src/bolt/engine/file-storage.js";
import { temporaryFolder } from "./support.js";

const chunks = Array.from({ length: 203 }, (_, at) => new Uint8Array(1_000 + at).fill(at + 1));
const options = { readOnly: false, create: true, mode: 0o600 };

test("many chunks come to lie one after another, however many writes they take", async () => {
  const path = join(temporaryFolder(), "file");
  const storage = FileStorage.open(path, options);
  await storage.writeAsync(10, chunks);
  storage.close();
  expect(readFileSync(path).equals(Buffer.concat([new Uint8Array(10), ...chunks]))).toBe(true);
});

test("a write that fails rejects with the system's error", async () => {
  const path = join(temporaryFolder(), "file");
  writeFileSync(path, "as it was");
  const storage = FileStorage.open(path, { ...options, readOnly: true });
  await expect(storage.writeAsync(0, chunks)).rejects.toMatchObject({ code: "EBADF" });
  storage.close();
  expect(readFileSync(path, "utf8")).toBe("as it was");
});

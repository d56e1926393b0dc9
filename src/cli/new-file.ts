import { constants } from "node:fs";
import { access, rename, rm } from "node:fs/promises";
import { UsageError } from "./exit.js";

/**
 * Lets `write` make a file under a temporary name beside `path` and then gives it its own, so that `path` is whole or
 * not there. A file that stands there already is replaced only with `force`.
 */
export async function createWholeFile<T>(
  path: string,
  force: boolean,
  write: (temporaryPath: string) => Promise<T>,
): Promise<T> {
  if (!force && (await exists(path))) {
    throw new UsageError(`${path} is there already`, "Choose another name, or replace it with --force.");
  }
  const temporaryPath = `${path}.partial-${process.pid}`;
  try {
    const result = await write(temporaryPath);
    await rename(temporaryPath, path);
    return result;
  } catch (error) {
    await rm(temporaryPath, { force: true });
    throw error;
  }
}

function exists(path: string): Promise<boolean> {
  return access(path, constants.F_OK).then(
    () => true,
    () => false,
  );
}

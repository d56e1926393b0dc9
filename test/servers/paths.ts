import path from "node:path";
import { fileURLToPath } from "node:url";

/** The folder this repository is checked out in. */
export const repositoryRoot = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "../..");

/** Where downloaded servers and generated certificates are kept between runs. Git ignores it. */
export const cacheFolder = path.join(repositoryRoot, ".cache", "servers");

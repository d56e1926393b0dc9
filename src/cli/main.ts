#!/usr/bin/env node
import { processEnvironment } from "./environment.js";
import { runCli } from "./run.js";

// A watch on a file waits without anything that would keep Node running.
setInterval(() => undefined, 2 ** 30);
process.exit(await runCli(processEnvironment()));

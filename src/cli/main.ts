#!/usr/bin/env node
import { processEnvironment } from "./environment.js";
import { runCli } from "./run.js";

const exitCode = await runCli(processEnvironment());
process.exit(exitCode);

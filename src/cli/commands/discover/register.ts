import { InvalidArgumentError, Option } from "commander";
import type { Store } from "../../../core/store.js";
import { createDeferred } from "../../../util/deferred.js";
import { createDiscovery } from "../../../recipes/create-discovery.js";
import type { Registration, RegistrationChange } from "../../../recipes/discovery.js";
import type { HealthCheck } from "../../../recipes/health-check.js";
import { unlessAborted } from "../../../recipes/linked-signal.js";
import type { Context } from "../../context.js";
import { type Configure, examples } from "../../define.js";
import { parseDuration } from "../../durations.js";
import { CommandFailure, exitCodes, UsageError } from "../../exit.js";
import { withStore } from "../../open-store.js";
import { ttlOption } from "../../options.js";
import { directoryOption, instanceFields } from "./instance-lines.js";

interface RegisterOptions {
  address: string;
  port: number;
  id?: string;
  meta?: Record<string, string>;
  ttl?: number;
  checkHttp?: string;
  checkTcp?: boolean;
  checkEvery?: number;
  directory: string;
}

export const configureRegister: Configure = (command, bind) => {
  command
    .argument("<service>", "the service's name")
    .addOption(new Option("--address <host>", "where clients reach the instance").makeOptionMandatory())
    .addOption(new Option("--port <number>", "its port").argParser(parsePort).makeOptionMandatory())
    .addOption(new Option("--id <id>", "one of the service's instances (default: address:port)"))
    .addOption(
      new Option("--meta <name=value>", "what else clients should know; may be given again").argParser(addMeta),
    )
    .addOption(ttlOption("how long the entry stays when this process dies (default: 15s)"))
    .addOption(
      new Option("--check-http <url>", "there only while a GET gives 200 to 299; a path is the instance's own"),
    )
    .addOption(new Option("--check-tcp", "there only while the address accepts connections").conflicts("checkHttp"))
    .addOption(
      new Option("--check-every <duration>", "the pause between checks (default: 5s)").argParser(parseDuration),
    )
    .addOption(directoryOption())
    .addHelpText(
      "after",
      `
Registers the instance, keeps it registered until Ctrl-C or SIGTERM, and deregisters it. Prints a line for each state:
registered, withdrawn (the check fails) or missing (the store lost it; it is being put again), a tab, and the key. When
another registration takes the id, it ends with exit code 1.
${examples([
  ["kvasir discover register web --address 10.0.0.7 --port 8080", "one instance"],
  ["kvasir discover register web --address 10.0.0.7 --port 8080 --check-http /health", "while it is healthy"],
  ["kvasir discover register db --address db1 --port 5432 --check-tcp --meta role=primary", "with meta"],
])}`,
    )
    .action(
      bind((context, service: string, options: RegisterOptions) => {
        const check = checkOf(options);
        return withStore(context, "follow", (store) => register(context, store, service, options, check));
      }),
    );
};

function parsePort(text: string): number {
  const port = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (!(port <= 65_535)) throw new InvalidArgumentError("Write a whole number from 0 to 65535.");
  return port;
}

function addMeta(text: string, before: Record<string, string> | undefined): Record<string, string> {
  const at = text.indexOf("=");
  if (at < 1) throw new InvalidArgumentError("Write it as name=value.");
  return { ...before, [text.slice(0, at)]: text.slice(at + 1) };
}

function checkOf({ checkHttp, checkTcp, checkEvery }: RegisterOptions): HealthCheck | undefined {
  if (checkHttp !== undefined) return { type: "http", url: checkHttp, intervalMs: checkEvery };
  if (checkTcp === true) return { type: "tcp", intervalMs: checkEvery };
  if (checkEvery === undefined) return undefined;
  throw new UsageError("--check-every without a check", "Add --check-http or --check-tcp.");
}

async function register(
  context: Context,
  store: Store,
  service: string,
  options: RegisterOptions,
  check: HealthCheck | undefined,
): Promise<number> {
  const { address, port, id, meta, ttl: ttlMs, directory } = options;
  const discovery = createDiscovery(store, { directory });
  const registration = await discovery.register({ service, id, address, port, meta, ttlMs, check, ...context.call });
  const ended = createDeferred<RegistrationChange>();
  let printed = print(context, registration, registration.state);
  registration.onStateChange((change) => {
    if (change.state === "replaced" || change.state === "closed") return ended.resolve(change);
    if (change.reason !== undefined) context.notices.say(`kvasir: ${change.reason.message}`);
    printed = printed.then(() => print(context, registration, change.state));
    printed.catch(() => undefined);
  });
  try {
    const change = await unlessAborted(ended.promise, context.signal);
    await printed;
    throw new CommandFailure(
      change.state === "replaced"
        ? `another registration took ${JSON.stringify(registration.key)}`
        : `the store ended the registration of ${JSON.stringify(registration.key)}`,
      { exitCode: change.state === "replaced" ? exitCodes.absent : exitCodes.failure, cause: change.reason },
    );
  } finally {
    // The store closes next, and with it the entry goes as well.
    await registration.deregister({ timeoutMs: context.timeoutMs }).catch(() => undefined);
  }
}

async function print(
  context: Context,
  { key, instance }: Registration,
  state: RegistrationChange["state"],
): Promise<void> {
  const { output } = context;
  if (output.json) return output.record({ state, key, ...instance });
  const painted = output.paint(state === "registered" ? "green" : "red", state);
  await output.line([painted, output.escape(key), ...instanceFields(context, instance).slice(1)].join("\t"));
}

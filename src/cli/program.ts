import { readFileSync } from "node:fs";
import { Command, Option } from "commander";
import { commandTable } from "./command-table.js";
import type { Bind, Configure } from "./define.js";
import { parseDuration } from "./durations.js";
import type { Environment } from "./environment.js";

const overview = `
Stores are named by URLs, in --url or KVASIR_URL:
  bolt:./app.db                          a BoltDB file, no server needed
  bolt:./app.db?bucket=kvasir            the bucket to use in it
  etcd://host1:2379,host2:2379/prefix    an etcd cluster; etcds: for TLS
  consul://host:8500                     Consul; consuls: for TLS
  zk://host1:2181,host2:2181/chroot      ZooKeeper; zks: for TLS

Exit codes: 0 done or found, 1 absent or conflict, 2 wrong usage, 3 the store failed.

Examples:
  export KVASIR_URL=bolt:./app.db
  kvasir put config/db/host 10.0.0.7
  kvasir get config/db/host
  kvasir watch --tree config
  kvasir lock jobs/nightly -- ./nightly.sh
`;

/** The command line as commander sees it. Each command's own arguments are filled in when the command is called. */
export function createProgram(environment: Environment, bind: Bind): Command {
  const { stdout, stderr } = environment;
  const program = new Command("kvasir")
    .description("Keys, watches and locks on etcd, Consul, ZooKeeper and BoltDB files.")
    .addOption(new Option("--url <url>", "the store; default: KVASIR_URL"))
    .addOption(new Option("--json", "print JSON, one object a line"))
    .addOption(
      new Option("--timeout <duration>", "how long a call may take, or `lock` may wait (2000, 2s, 5m)").argParser(
        parseDuration,
      ),
    )
    .version(packageVersion(), "--version", "print the version")
    .helpOption("-h, --help", "print this help")
    .helpCommand(false)
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({
      writeOut: (text) => void stdout.write(text),
      writeErr: (text) => void stderr.write(text),
      outputError: (text, write) => write(text.replace(/^error: /, "kvasir: ")),
      getOutHasColors: () => false,
      getErrHasColors: () => false,
    })
    .exitOverride()
    .addHelpText("after", overview)
    .showHelpAfterError("`kvasir --help` shows how.")
    .showSuggestionAfterError();
  for (const { name, summary, group } of commandTable) {
    program.command(name).summary(summary).description(sentence(summary)).helpGroup(group);
  }
  program.hook("preSubcommand", async (_program, command) => configureCommand(command, bind));
  return program;
}

/** Loads a command's file and lets it say which arguments and options there are. */
async function configureCommand(command: Command, bind: Bind): Promise<void> {
  const entry = commandTable.find(({ name }) => name === command.name());
  if (entry === undefined) return;
  const { configure }: { configure: Configure } = await entry.load();
  command.showHelpAfterError(`\`kvasir ${entry.name} --help\` shows how.`);
  configure(command, bind);
}

/** The program with every command's file loaded. */
export async function createFullProgram(environment: Environment, bind: Bind): Promise<Command> {
  const program = createProgram(environment, bind);
  for (const command of program.commands) await configureCommand(command, bind);
  return program;
}

function sentence(summary: string): string {
  return `${summary.charAt(0).toUpperCase()}${summary.slice(1)}.`;
}

function packageVersion(): string {
  const text = readFileSync(new URL("../../package.json", import.meta.url), "utf8");
  return (JSON.parse(text) as { version: string }).version;
}

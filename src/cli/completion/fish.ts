import { type CommandSpec, flatten, type OptionSpec } from "./command-spec.js";

/** The completion script for fish. */
export function fishScript(program: CommandSpec): string {
  const lines = flatten(program).flatMap((spec) => {
    const condition = conditionFor(spec);
    return [
      ...spec.subcommands.map(({ path, summary }) => word(condition, path.slice(path.lastIndexOf(" ") + 1), summary)),
      ...spec.choices.map((choice) => word(condition, choice, "")),
      ...spec.options.map((option) => flag(condition, option)),
    ];
  });
  return `# Completes kvasir in fish:
#   kvasir completion fish > ~/.config/fish/completions/kvasir.fish
${lines.join("\n")}
`;
}

/** When a command's words and options are due: after its own words, and before those of a command below it. */
function conditionFor({ path, subcommands }: CommandSpec): string {
  if (path === "") return "__fish_use_subcommand";
  const seen = path.split(" ").map((name) => `__fish_seen_subcommand_from ${name}`);
  const below = subcommands.map((child) => child.path.slice(child.path.lastIndexOf(" ") + 1));
  const notBelow = below.length === 0 ? [] : [`not __fish_seen_subcommand_from ${below.join(" ")}`];
  return [...seen, ...notBelow].join("; and ");
}

function word(condition: string, name: string, description: string): string {
  return `complete -c kvasir -n ${quote(condition)} -f -a ${quote(name)} -d ${quote(description)}`;
}

function flag(condition: string, { flag: name, description, takesValue }: OptionSpec): string {
  const value = takesValue ? " -x" : "";
  return `complete -c kvasir -n ${quote(condition)} -l ${name.replace(/^--/, "")}${value} -d ${quote(description)}`;
}

function quote(text: string): string {
  return `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
}

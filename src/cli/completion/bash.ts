import { type CommandSpec, flatten, valueFlags } from "./command-spec.js";

/** The completion script for bash. */
export function bashScript(program: CommandSpec): string {
  const cases = flatten(program).map((spec) => {
    const words = [...spec.subcommands.map(lastWord), ...spec.choices];
    const flags = spec.options.map(({ flag }) => flag);
    return `    '${spec.path}') words='${words.join(" ")}'; flags='${flags.join(" ")}' ;;`;
  });
  const groups = flatten(program).filter(({ path, subcommands }) => path !== "" && subcommands.length > 0);
  return `# Completes kvasir in bash. Put this line in ~/.bashrc:
#   source <(kvasir completion bash)
_kvasir() {
  local current="\${COMP_WORDS[COMP_CWORD]}" previous="\${COMP_WORDS[COMP_CWORD-1]}" path='' words='' flags='' i
  for ((i = 1; i < COMP_CWORD; i++)); do
    case "\${COMP_WORDS[i]}" in
      --) return ;;
      ${valueFlags(program).join("|")}) ((i++)) ;;
      -*) ;;
      *)
        case "$path" in
          '') path="\${COMP_WORDS[i]}" ;;
          ${groups.map(({ path }) => `'${path}'`).join("|")}) path="$path \${COMP_WORDS[i]}" ;;
        esac
        ;;
    esac
  done
  case "$previous" in
    ${valueFlags(program).join("|")}) return ;;
  esac
  case "$path" in
${cases.join("\n")}
  esac
  if [[ "$current" == -* ]]; then words="$flags"; fi
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o default -F _kvasir kvasir
`;
}

function lastWord({ path }: CommandSpec): string {
  return path.slice(path.lastIndexOf(" ") + 1);
}

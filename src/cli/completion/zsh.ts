import { type CommandSpec, flatten, valueFlags } from "./command-spec.js";

/** The completion script for zsh. */
export function zshScript(program: CommandSpec): string {
  const cases = flatten(program).map((spec) => {
    const words = [
      ...spec.subcommands.map(({ path, summary }) => quote(`${path.slice(path.lastIndexOf(" ") + 1)}:${summary}`)),
      ...spec.choices.map(quote),
    ];
    const flags = spec.options.map(({ flag, description }) => quote(`${flag}:${description}`));
    return `    ${quote(spec.path)})\n      candidates=(${words.join(" ")})\n      flags=(${flags.join(" ")})\n      ;;`;
  });
  const groups = flatten(program).filter(({ path, subcommands }) => path !== "" && subcommands.length > 0);
  return `#compdef kvasir
# Completes kvasir in zsh. Save it as _kvasir in a directory of $fpath, or put this line in ~/.zshrc after compinit:
#   source <(kvasir completion zsh)
_kvasir() {
  local route='' word
  local -a candidates flags
  integer i
  for ((i = 2; i < CURRENT; i++)); do
    word=\${words[i]}
    case $word in
      --) _files; return ;;
      ${valueFlags(program).join("|")}) ((i++)) ;;
      -*) ;;
      *)
        case $route in
          '') route=$word ;;
          ${groups.map(({ path }) => quote(path)).join("|")}) route="$route $word" ;;
        esac
        ;;
    esac
  done
  case $route in
${cases.join("\n")}
  esac
  if [[ \${words[CURRENT]} == -* ]]; then
    _describe -o option flags
  elif ((\${#candidates})); then
    _describe command candidates
  else
    _files
  fi
}
if [[ \${funcstack[1]} == _kvasir ]]; then
  _kvasir "$@"
else
  compdef _kvasir kvasir
fi
`;
}

function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

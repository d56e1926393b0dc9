import { Argument } from "commander";
import { bashScript } from "../completion/bash.js";
import { describeProgram } from "../completion/command-spec.js";
import { fishScript } from "../completion/fish.js";
import { zshScript } from "../completion/zsh.js";
import { type Configure, examples } from "../define.js";

const scripts = { bash: bashScript, zsh: zshScript, fish: fishScript };

export const configure: Configure = (command, bind) => {
  command
    .addArgument(new Argument("<shell>", "the shell").choices(Object.keys(scripts)))
    .addHelpText(
      "after",
      examples([
        ["source <(kvasir completion bash)", "in ~/.bashrc"],
        ["source <(kvasir completion zsh)", "in ~/.zshrc, after compinit"],
        ["kvasir completion fish > ~/.config/fish/completions/kvasir.fish", ""],
      ]),
    )
    .action(
      bind(async (context, shell: keyof typeof scripts) => {
        await context.output.write(scripts[shell](describeProgram(await context.allCommands())));
      }),
    );
};

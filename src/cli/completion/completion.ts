/** `coder completion`: lets the shell finish command lines. */
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Command, Invocation } from "#serpent/command.ts";
import { option } from "#serpent/option.ts";
import * as types from "#serpent/values.ts";
import { confirm } from "../cliui/prompt.ts";
import { UserError } from "../errors.ts";
import { homeOf } from "../globals.ts";

const shells = ["bash", "fish", "zsh", "powershell"] as const;
type Shell = (typeof shells)[number];

const shell = option(types.string, {
  flag: "shell",
  shorthand: "s",
  description: "Shell to set up: bash, fish, zsh or powershell. Default: the one of $SHELL.",
});
const print = option(types.bool, {
  flag: "print",
  shorthand: "p",
  description: "Print the script instead of installing it.",
});

const begin = "# ============= BEGIN CODER COMPLETION ==============";
const end = "# ============== END CODER COMPLETION ===============";

/** What a shell needs. Words reach the program as arguments, and its answer is never evaluated. */
export const scripts: Readonly<Record<Shell, string>> = {
  bash: `_coder_complete() {
  local line
  COMPREPLY=()
  while IFS= read -r line; do
    COMPREPLY+=("$line")
  done < <(COMPLETION_MODE=1 "\${COMP_WORDS[0]}" "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -F _coder_complete coder
`,
  zsh: `_coder_complete() {
  local -a found
  found=("\${(@f)$(COMPLETION_MODE=1 "\${words[1]}" "\${(@)words[2,$CURRENT]}" 2>/dev/null)}")
  [[ -n "\${found[*]}" ]] && compadd -- "\${found[@]}"
}
(( $+functions[compdef] )) || { autoload -Uz compinit && compinit }
compdef _coder_complete coder
`,
  fish: `function _coder_complete
  set -l words (commandline -opc) (commandline -ct)
  COMPLETION_MODE=1 $words[1] $words[2..-1] 2>/dev/null
end
complete -f -c coder -a '(_coder_complete)'
`,
  powershell: `Register-ArgumentCompleter -Native -CommandName coder -ScriptBlock {
  param($wordToComplete, $commandAst, $cursorPosition)
  $words = @($commandAst.CommandElements | Select-Object -Skip 1 | ForEach-Object { $_.ToString() })
  if ($wordToComplete -eq '') { $words += '' }
  $env:COMPLETION_MODE = '1'
  try { & coder @words 2>$null | ForEach-Object { [System.Management.Automation.CompletionResult]::new($_) } }
  finally { Remove-Item Env:COMPLETION_MODE }
}
`,
};

export const completionCommand: Command = {
  use: "completion",
  short: "Let your shell finish command lines of this program.",
  options: [shell, print],
  args: { min: 0, max: 0 },
  async handler(inv) {
    const chosen = pickShell(inv);
    if (inv.get(print) || !inv.stdout.isTTY) {
      inv.stdout.write(scripts[chosen]);
      return;
    }
    const file = fileOf(inv, chosen);
    if (file === undefined) {
      throw new UserError("for PowerShell print the script with --print, and put it into your $PROFILE");
    }
    await confirm(inv, `Install the completion into ${file}?`);
    const before = await readFile(file, "utf8").catch(() => "");
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, withScript(before, scripts[chosen]));
    inv.stderr.write("Completion is installed; new shells have it.\n");
  },
};

function pickShell(inv: Invocation): Shell {
  const name = inv.get(shell) || (inv.env["SHELL"] ?? "").split("/").at(-1);
  const found = shells.find((one) => one === name);
  if (!found) {
    throw new UserError(
      `give your shell with --shell, one of ${shells.join(", ")}: received ${JSON.stringify(name ?? "")}`,
    );
  }
  return found;
}

function fileOf(inv: Invocation, chosen: Shell): string | undefined {
  const home = homeOf(inv.env);
  const config = inv.env["XDG_CONFIG_HOME"] || join(home, ".config");
  switch (chosen) {
    case "bash":
      return join(home, ".bashrc");
    case "zsh":
      return join(inv.env["ZDOTDIR"] || home, ".zshrc");
    case "fish":
      return join(config, "fish/completions/coder.fish");
    case "powershell":
      return undefined;
  }
}

/** The file with the script between its marker lines, in place of an older one. */
export function withScript(text: string, script: string): string {
  const block = `${begin}\n${script}${end}\n`;
  const from = text.indexOf(`${begin}\n`);
  const to = text.indexOf(`${end}\n`, from);
  if (from >= 0 && to >= 0) return text.slice(0, from) + block + text.slice(to + end.length + 1);
  return `${text}${text === "" || text.endsWith("\n") ? "" : "\n"}${block}`;
}

/** Parameters as the person gives them: by flags, in a file, or answering questions. */
import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import type { TemplateVersionParameter } from "#codersdk/templateversions.ts";
import type { Invocation } from "#serpent/command.ts";
import { askText, choose } from "./cliui/prompt.ts";
import { printable } from "./cliui/table.ts";
import { checkValue, parameterOptions, parsePairs, readParameterFile, type Value } from "./parameters.ts";

export async function readGiven(inv: Invocation): Promise<{ given: Value[]; ephemeral: Value[] }> {
  const file = inv.get(parameterOptions.file);
  const path = resolve(inv.cwd, file);
  const fromFile = file === "" ? [] : await readParameterFile(await readFile(path, "utf8"), file);
  return {
    given: [...fromFile, ...parsePairs(inv.get(parameterOptions.parameter))],
    ephemeral: parsePairs(inv.get(parameterOptions.ephemeral)),
  };
}

export async function askParameter(
  inv: Invocation,
  parameter: TemplateVersionParameter,
  suggested: string,
): Promise<string> {
  const title = printable(parameter.display_name || parameter.name);
  inv.stderr.write(`\n${title}${parameter.ephemeral ? " (build option)" : ""}\n`);
  if (parameter.description_plaintext) inv.stderr.write(`  ${printable(parameter.description_plaintext)}\n`);
  if (parameter.options.length > 0 && parameter.type !== "list(string)") {
    const choices = parameter.options.map((one) => ({
      label: one.description ? `${printable(one.name)}: ${printable(one.description)}` : printable(one.name),
      value: one.value,
    }));
    if (!inv.stdin.isTTY && suggested !== "") return suggested;
    return await choose(inv, { text: title, choices, flag: `--parameter ${parameter.name}=VALUE` });
  }
  const answer = await askText(inv, {
    text: "Enter a value",
    ...(suggested === "" ? {} : { default: suggested }),
    validate: (text) => checkValue(parameter, text.trim() === "" ? suggested : text.trim()),
  });
  return answer.trim();
}

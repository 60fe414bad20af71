import { cp, mkdir, readdir, readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import type { Command } from "#serpent/command.ts";
import { option } from "#serpent/option.ts";
import * as types from "#serpent/values.ts";
import { choose } from "../cliui/prompt.ts";
import { UserError } from "../errors.ts";

/** Starter templates come with the program. */
export const examplesDir = resolve(import.meta.dirname, "../../../examples");

const id = option(types.string, { flag: "id", description: "Starter template to take." });

export const initCommand: Command = {
  use: "init [directory]",
  short: "Copy a starter template into a folder.",
  options: [id],
  args: { min: 0, max: 1 },
  async handler(inv) {
    const known = await listExamples();
    const wanted = inv.get(id);
    const chosen =
      wanted === ""
        ? await choose(inv, {
            text: "Which starter template?",
            choices: known.map((one) => ({ label: `${one.id}: ${one.title}`, value: one.id })),
            flag: "--id",
          })
        : wanted;
    if (!known.some((one) => one.id === chosen)) {
      throw new UserError(
        `no starter template is named ${JSON.stringify(chosen)}; there are ${known.map((one) => one.id).join(", ")}`,
      );
    }
    const target = resolve(inv.cwd, inv.args[0] ?? chosen);
    await mkdir(target, { recursive: true });
    if ((await readdir(target)).length > 0) throw new UserError(`${target} is not empty`);
    await cp(join(examplesDir, chosen), target, { recursive: true });
    inv.stdout.write(
      `Copied the template to ${target}. Push it with:\n\n    coder templates push -d ${target}\n`,
    );
  },
};

interface Example {
  readonly id: string;
  readonly title: string;
}

/** Folders with a `main.tf`; the title is the README's first heading. */
async function listExamples(): Promise<Example[]> {
  const found: Example[] = [];
  for (const entry of await readdir(examplesDir, { withFileTypes: true })) {
    if (!entry.isDirectory()) continue;
    const readme = await readFile(join(examplesDir, entry.name, "README.md"), "utf8").catch(() => "");
    found.push({ id: entry.name, title: /^# (.+)$/m.exec(readme)?.[1] ?? entry.name });
  }
  return found.toSorted((a, b) => (a.id < b.id ? -1 : 1));
}

/** Command tree → docs/reference/cli, server options → docs/reference/options.md. */
import { allServerOptions } from "#coderd/deployment/options.ts";
import { root } from "#cli/root.ts";
import type { Command } from "#serpent/command.ts";
import { type AnyOption, groupName, optionName, yamlKey } from "#serpent/option.ts";
import { emit, type GenOptions } from "./generated.ts";

export async function genDocs(options: GenOptions): Promise<string[]> {
  const files = new Map<string, string>();
  files.set("docs/reference/options.md", optionsPage(allServerOptions));
  files.set("docs/reference/cli.md", cliIndex(root));
  walk([root], files);
  return emit(files, options);
}

const nameOf = (command: Command): string => command.use.split(" ")[0] ?? "";
const pathName = (path: readonly Command[]): string => path.map(nameOf).join(" ");
const fileOf = (path: readonly Command[]): string => `cli/${path.map(nameOf).join("_")}.md`;

function walk(path: readonly Command[], files: Map<string, string>): void {
  const command = path.at(-1);
  if (!command || command.hidden) return;
  files.set(`docs/reference/${fileOf(path)}`, commandPage(path, command));
  for (const child of command.children ?? []) walk([...path, child], files);
}

function commandPage(path: readonly Command[], command: Command): string {
  const usage = [...path.slice(0, -1).map(nameOf), command.use].join(" ");
  const children = (command.children ?? []).filter((child) => !child.hidden);
  const options = (command.options ?? []).filter((one) => !one.hidden && one.flag);
  return (
    [
      `# ${pathName(path)}`,
      command.short,
      `    ${usage}`,
      ...(command.aliases?.length ? [`Aliases: ${command.aliases.join(", ")}`] : []),
      ...(command.long ? [command.long] : []),
      ...(children.length > 0
        ? [
            "## Subcommands",
            children
              .map((child) => `- [${nameOf(child)}](../${fileOf([...path, child])}): ${child.short}`)
              .join("\n"),
          ]
        : []),
      ...(options.length > 0 ? ["## Options", table(options)] : []),
    ].join("\n\n") + "\n"
  );
}

function table(options: readonly AnyOption[]): string {
  const rows = options
    .toSorted((a, b) => (optionName(a) < optionName(b) ? -1 : 1))
    .map((one) => {
      const flag = one.shorthand ? `\`-${one.shorthand}\`, \`--${one.flag}\`` : `\`--${one.flag}\``;
      return `| ${flag} | ${one.env ? `\`${one.env}\`` : ""} | ${cell(one.type.name)} | ${one.default ? `\`${cell(one.default)}\`` : ""} | ${cell(one.description ?? "")} |`;
    });
  return ["| Flag | Variable | Type | Default | Meaning |", "|---|---|---|---|---|", ...rows].join("\n");
}

const cell = (text: string): string => text.replaceAll("|", "\\|").replaceAll("\n", " ");

function cliIndex(top: Command): string {
  const lines: string[] = [];
  const visit = (path: readonly Command[]): void => {
    const command = path.at(-1);
    if (!command || command.hidden) return;
    lines.push(`${"  ".repeat(path.length - 1)}- [${pathName(path)}](${fileOf(path)}): ${command.short}`);
    for (const child of command.children ?? []) visit([...path, child]);
  };
  visit([top]);
  return `# Command line\n\n${lines.join("\n")}\n`;
}

function optionsPage(options: readonly AnyOption[]): string {
  const groups = new Map<string, AnyOption[]>();
  for (const one of options) {
    const title = one.group ? groupName(one.group) : "General";
    groups.set(title, [...(groups.get(title) ?? []), one]);
  }
  const sections = [...groups].map(([title, members]) => {
    const rows = members.map(
      (one) =>
        `| \`--${one.flag}\` | ${one.env ? `\`${one.env}\`` : ""} | ${yamlKey(one) ? `\`${yamlKey(one)}\`` : ""} | ${cell(one.type.name)} | ${one.default ? `\`${cell(one.default)}\`` : ""} | ${cell(one.description ?? "")} |`,
    );
    return [
      `## ${title}`,
      ["| Flag | Variable | YAML | Type | Default | Meaning |", "|---|---|---|---|---|---|", ...rows].join(
        "\n",
      ),
    ].join("\n\n");
  });
  return `# Server options\n\nOptions of \`coder server\`, as flags, environment variables or keys of a YAML file (\`--config\`). A flag wins over a variable, a variable over the file.\n\n${sections.join("\n\n")}\n`;
}

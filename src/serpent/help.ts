/** Help of a command: usage, text, subcommands, options by group. Pure; goldens of every command hold its layout. */
import { version } from "#buildinfo/buildinfo.ts";
import type { Command } from "./command.ts";
import { type AnyOption, groupName, optionName } from "./option.ts";

/** `path`: from the root to the command. `width`: columns of the terminal. */
export function renderHelp(path: readonly Command[], width: number): string {
  const command = path.at(-1);
  if (!command) throw new Error("help needs a command");
  const parents = path.slice(0, -1).map((one) => one.use.split(" ")[0]);
  const [name = "", ...rest] = command.use.split(" ");
  const usage = [...parents, name, ...(visible(command.options).length > 0 ? ["[flags]"] : []), ...rest].join(
    " ",
  );
  const parts = [`coder ${version}`, `USAGE:\n  ${usage}`, indent(wrap(command.short, width - 2), 2)];
  if (command.aliases?.length) parts.push(`  Aliases: ${command.aliases.join(", ")}`);
  if (command.long) parts.push(indent(wrap(command.long, width - 2), 2));
  const children = (command.children ?? []).filter((child) => !child.hidden);
  if (children.length > 0) parts.push(`SUBCOMMANDS:\n${subcommands(children, width)}`);
  for (const [title, options] of byGroup(visible(command.options))) {
    const description = options[0]?.group?.description;
    const heading = title === "" ? "OPTIONS:" : `${title.toUpperCase()} OPTIONS:`;
    parts.push(
      [
        heading,
        ...(title && description ? [wrap(description, width)] : []),
        ...options.map((one) => line(one, width)),
      ].join("\n"),
    );
  }
  parts.push(
    path.length > 1
      ? "———\nRun `coder --help` for a list of global options."
      : "———\nReport bugs to the administrators of your deployment.",
  );
  return `${parts.join("\n\n")}\n`;
}

const visible = (options: readonly AnyOption[] = []): AnyOption[] =>
  options.filter((one) => !one.hidden && one.flag !== undefined);

function subcommands(children: readonly Command[], width: number): string {
  const name = (child: Command): string => child.use.split(" ")[0] ?? "";
  const column = Math.max(...children.map((child) => name(child).length)) + 4;
  return children
    .toSorted((a, b) => (name(a) < name(b) ? -1 : 1))
    .map((child) => {
      const [first = "", ...more] = wrap(child.short, width - 4 - column).split("\n");
      return [
        `    ${name(child).padEnd(column)}${first}`,
        ...more.map((text) => " ".repeat(4 + column) + text),
      ].join("\n");
    })
    .join("\n");
}

function byGroup(options: readonly AnyOption[]): [string, AnyOption[]][] {
  const groups = new Map<string, AnyOption[]>();
  for (const one of options.toSorted((a, b) => (optionName(a) < optionName(b) ? -1 : 1))) {
    const title = one.group ? groupName(one.group) : "";
    groups.set(title, [...(groups.get(title) ?? []), one]);
  }
  return [...groups].toSorted(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
}

function line(one: AnyOption, width: number): string {
  const start = one.shorthand ? `  -${one.shorthand}, --${one.flag}` : `      --${one.flag}`;
  const type = one.type.bare ? " bool" : ` ${one.type.name}`;
  const env = one.env ? `, $${one.env}` : "";
  const fallback = one.default ? ` (default: ${one.default})` : "";
  const instead = one.useInstead?.map((other) => `--${other.flag}`).join(" and ");
  const texts = [one.description, instead && `DEPRECATED: Use ${instead} instead.`].filter(Boolean);
  return [
    `${start}${type}${env}${fallback}`,
    ...texts.map((text) => indent(wrap(text ?? "", width - 10), 10)),
  ].join("\n");
}

export function wrap(text: string, width: number): string {
  return text
    .split("\n")
    .map((paragraph) => wrapLine(paragraph, Math.max(width, 20)))
    .join("\n");
}

/** Lines that are indented already (examples) stay as they are. */
function wrapLine(text: string, width: number): string {
  if (text.startsWith(" ")) return text;
  const lines: string[] = [];
  let current = "";
  for (const word of text.split(" ")) {
    if (current !== "" && current.length + 1 + word.length > width) {
      lines.push(current);
      current = word;
    } else {
      current = current === "" ? word : `${current} ${word}`;
    }
  }
  return [...lines, current].join("\n");
}

function indent(text: string, by: number): string {
  return text
    .split("\n")
    .map((one) => (one === "" ? "" : " ".repeat(by) + one))
    .join("\n");
}

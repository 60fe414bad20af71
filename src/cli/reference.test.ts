import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { Command } from "#serpent/command.ts";
import type { AnyOption } from "#serpent/option.ts";
import { golden, referencePath } from "#testutil/testutil.ts";
import { root } from "./root.ts";

/** A command of stock clients, as recorded. */
interface Recorded {
  readonly path: string;
  readonly usage: string;
  readonly aliases?: readonly string[];
  readonly hidden?: boolean;
  readonly options?: readonly RecordedOption[];
}

interface RecordedOption {
  readonly flag?: string;
  readonly name?: string;
  readonly shorthand?: string;
  readonly env?: string;
  readonly type: string;
  readonly default?: string;
  readonly choices?: readonly string[];
  readonly hidden?: boolean;
  readonly required?: boolean;
}

const nameOf = (command: Command): string => command.use.split(" ")[0] ?? "";

function* commands(path: readonly Command[]): Generator<readonly Command[]> {
  yield path;
  for (const child of path.at(-1)?.children ?? []) yield* commands([...path, child]);
}

/** Text forms of one type that mean the same, such as 168h0m0s and 168h. */
function sameDefault(own: AnyOption, recorded: RecordedOption): boolean {
  const text = (value: string | undefined): string => {
    if (value === undefined || value === "") return own.type.format(own.type.zero);
    try {
      return own.type.format(own.type.parse(value, undefined)).toLowerCase();
    } catch {
      return value;
    }
  };
  return text(own.default) === text(recorded.default);
}

function compareOption(recorded: RecordedOption, own: AnyOption | undefined): string[] {
  const flag = `--${recorded.flag ?? recorded.name}`;
  if (!own) return [`${flag} is missing`];
  const out: string[] = [];
  const check = (what: string, ours = "", theirs = ""): void => {
    if (ours !== theirs) out.push(`${flag} ${what}: ours ${ours}, recorded ${theirs}`);
  };
  check("shorthand", own.shorthand, recorded.shorthand);
  check("env", own.env, recorded.env);
  if (recorded.type !== "enum-array") {
    check("type", own.type.name, recorded.choices ? recorded.choices.join("|") : recorded.type);
  } else {
    const fold = (list: readonly string[] = []): string => list.map((one) => one.toLowerCase()).join("|");
    check("choices", fold(own.type.choices), fold(recorded.choices));
  }
  if (!sameDefault(own, recorded)) {
    out.push(`${flag} default: ours ${own.default ?? ""}, recorded ${recorded.default ?? ""}`);
  }
  check("hidden", String(own.hidden ?? false), String(recorded.hidden ?? false));
  return out;
}

/** Everything in which our tree of commands differs from the stock one: a golden that is read when it changes. */
test("commands, options, variables, defaults against those of stock clients", (t) => {
  const file = referencePath(t, "cli.json");
  if (file === undefined) return;
  const { commands: recorded }: { commands: readonly Recorded[] } = JSON.parse(readFileSync(file, "utf8"));
  const ours = new Map(Array.from(commands([root]), (path) => [path.map(nameOf).join(" "), path] as const));
  const lines: string[] = [];
  for (const one of recorded) {
    const path = ours.get(one.path);
    ours.delete(one.path);
    if (!path) {
      lines.push(`${one.path}: no such command`);
      continue;
    }
    if (one.path === "coder server") continue;
    const command = path.at(-1);
    const options = command?.options ?? [];
    const found = (one.options ?? []).flatMap((option) =>
      compareOption(
        option,
        options.find((own) => own.flag !== undefined && own.flag === option.flag),
      ),
    );
    const aliases = (one.aliases ?? []).filter((alias) => !command?.aliases?.includes(alias));
    if (aliases.length > 0) found.push(`aliases ${aliases.join(", ")} are missing`);
    for (const own of options) {
      if (own.flag && !one.options?.some(({ flag }) => flag === own.flag)) {
        found.push(`--${own.flag} is ours`);
      }
    }
    lines.push(...found.map((text) => `${one.path}: ${text}`));
  }
  lines.push(...Array.from(ours.keys(), (name) => `${name}: ours`));
  golden(join(import.meta.dirname, "testdata/differences.golden"), `${lines.join("\n")}\n`);
});

/**
 * What a shell may offer next on a command line. Shells call the program with `COMPLETION_MODE=1` and the words so far,
 * the last one unfinished; the answer is one candidate a line, nothing on any mistake.
 */
import { commandName, type Command, find, type Invocation, type World } from "./command.ts";
import type { AnyOption } from "./option.ts";
import { resolve } from "./resolve.ts";

interface Position {
  readonly path: readonly Command[];
  readonly options: readonly AnyOption[];
  readonly parsed: ReturnType<typeof find>["parsed"];
}

const startingWith = (word: string, candidates: readonly string[]): string[] =>
  [...new Set(candidates)].filter((one) => one.startsWith(word)).toSorted();

export async function complete(root: Command, words: readonly string[], world: World): Promise<string[]> {
  try {
    const word = words.at(-1) ?? "";
    return await candidates(root, words.slice(0, -1), word, world);
  } catch {
    return [];
  }
}

async function candidates(
  root: Command,
  before: readonly string[],
  word: string,
  world: World,
): Promise<string[]> {
  const waiting = before.at(-1) ?? "";
  // `--flag` without its value: what the flag takes.
  if (waiting.startsWith("-") && waiting !== "--" && !waiting.includes("=")) {
    const position = find(root, before.slice(0, -1));
    const option = optionOf(position, waiting);
    if (option && !option.type.bare) return startingWith(word, option.type.choices ?? []);
  }
  const position = find(root, before);
  if (position.parsed.dash === undefined && word.startsWith("-")) {
    const [flag = "", value] = word.split("=", 2);
    if (value === undefined) return startingWith(word, flagsOf(position));
    const choices = optionOf(position, flag)?.type.choices ?? [];
    return startingWith(
      word,
      choices.map((one) => `${flag}=${one}`),
    );
  }
  const command = position.path.at(-1);
  const children = (command?.children ?? []).filter((one) => !one.hidden);
  if (children.length > 0 && position.parsed.args.length === 0) {
    return startingWith(word, children.map(commandName));
  }
  return startingWith(word, (await command?.complete?.(invocationOf(position, world))) ?? []);
}

const optionOf = ({ options }: Position, typed: string): AnyOption | undefined =>
  options.findLast((one) => `--${one.flag}` === typed || `-${one.shorthand}` === typed);

/** Flags that are not given yet; lists may be given again. */
function flagsOf({ options, parsed }: Position): string[] {
  const given = new Set(parsed.flags.map(({ option }) => option));
  return options
    .filter((one) => one.flag !== undefined && !one.hidden)
    .filter((one) => !given.has(one) || Array.isArray(one.type.zero))
    .map((one) => `--${one.flag}`);
}

function invocationOf({ path, options, parsed }: Position, world: World): Invocation {
  const values = resolve({ options, env: world.env, flags: parsed.flags });
  return {
    ...world,
    command: path.at(-1) ?? path[0] ?? { use: "", short: "" },
    name: path.map(commandName).join(" "),
    args: parsed.args,
    dash: parsed.dash,
    values,
    get: (one) => values.get(one),
  };
}

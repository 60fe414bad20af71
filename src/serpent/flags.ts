/** Command lines in pflag's grammar: `--f v`, `--f=v`, `-f v`, `-fv`, `-abc`, flags among arguments, `--` ends flags. */
import type { AnyOption } from "./option.ts";
import { UsageError } from "./resolve.ts";

export interface Parsed {
  readonly args: string[];
  /** Where each of `args` stands in the command line. */
  readonly positions: number[];
  readonly flags: { option: AnyOption; text: string }[];
  /** Unknown flags, as typed. The caller decides when they are final: a subcommand may know them. */
  readonly unknown: string[];
  /** Number of `args` before `--`; undefined if there is none. */
  readonly dash?: number;
}

/** Reads `argv` with the options known so far; the walk down the commands (command.ts) calls it once a level. */
export function parseFlags(argv: readonly string[], options: readonly AnyOption[]): Parsed {
  const long = new Map<string, AnyOption>();
  const short = new Map<string, AnyOption>();
  // Later options (of deeper commands) replace earlier ones of the same name.
  for (const option of options) {
    if (option.flag) long.set(option.flag, option);
    if (option.shorthand) short.set(option.shorthand, option);
  }
  const out: {
    args: string[];
    positions: number[];
    flags: Parsed["flags"];
    unknown: string[];
    dash?: number;
  } = {
    args: [],
    positions: [],
    flags: [],
    unknown: [],
  };
  const rest = [...argv];
  const argument = (word: string): void => {
    out.positions.push(argv.length - rest.length - 1);
    out.args.push(word);
  };
  const needValue = (typed: string): string => {
    const value = rest.shift();
    if (value === undefined) throw new UsageError(`flag needs an argument: ${typed}`);
    return value;
  };
  for (let word = rest.shift(); word !== undefined; word = rest.shift()) {
    if (word === "--") {
      out.dash = out.args.length;
      for (let word = rest.shift(); word !== undefined; word = rest.shift()) argument(word);
    } else if (word.startsWith("--")) {
      const equals = word.indexOf("=");
      const name = word.slice(2, equals < 0 ? undefined : equals);
      const option = long.get(name);
      if (!option) out.unknown.push(word);
      else if (equals >= 0) out.flags.push({ option, text: word.slice(equals + 1) });
      else out.flags.push({ option, text: option.type.bare ? "true" : needValue(word) });
    } else if (word.startsWith("-") && word.length > 1) {
      readShort(word, short, out, needValue);
    } else {
      argument(word);
    }
  }
  return out;
}

function readShort(
  word: string,
  short: ReadonlyMap<string, AnyOption>,
  out: { flags: Parsed["flags"]; unknown: string[] },
  needValue: (typed: string) => string,
): void {
  for (let letters = word.slice(1); letters !== "";) {
    const letter = letters.slice(0, 1);
    const option = short.get(letter);
    letters = letters.slice(1);
    if (!option) {
      out.unknown.push(`-${letter}`);
      return;
    }
    if (letters.startsWith("=")) {
      out.flags.push({ option, text: letters.slice(1) });
      return;
    }
    if (option.type.bare) {
      out.flags.push({ option, text: "true" });
      continue;
    }
    out.flags.push({ option, text: letters === "" ? needValue(`-${letter}`) : letters });
    return;
  }
}

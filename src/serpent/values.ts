/** The types that an option's value can have: how each is read from text, printed and named in help. */
import { formatDuration, parseDuration } from "#util/duration.ts";

export interface ValueType<T> {
  /** Name in help and in the option reference, such as `string` or `table|json`. */
  readonly name: string;
  /** Reads text of a flag, variable or default. `previous` is the value so far when a flag is repeated. */
  parse(text: string, previous: T | undefined): T;
  format(value: T): string;
  /** What an absent option is. */
  readonly zero: T;
  /** A flag of this type stands without a value. */
  readonly bare?: true;
  /** Choices, for completion. */
  readonly choices?: readonly string[];
  /** Types without an empty form: an empty variable counts as unset. */
  readonly noEmpty?: true;
}

const truths = new Set(["1", "t", "T", "TRUE", "true", "True"]);
const lies = new Set(["", "0", "f", "F", "FALSE", "false", "False"]);

export const string: ValueType<string> = {
  name: "string",
  zero: "",
  parse: (text) => text,
  format: (value) => value,
};

export const bool: ValueType<boolean> = {
  name: "bool",
  zero: false,
  bare: true,
  parse(text) {
    if (truths.has(text)) return true;
    if (lies.has(text)) return false;
    throw new Error(`invalid bool ${JSON.stringify(text)}: want true or false`);
  },
  format: String,
};

export const int: ValueType<number> = {
  name: "int",
  zero: 0,
  noEmpty: true,
  parse(text) {
    const value = Number(text);
    if (!/^[+-]?\d+$/.test(text) || !Number.isSafeInteger(value)) {
      throw new Error(`invalid int ${JSON.stringify(text)}: want a whole number`);
    }
    return value;
  },
  format: String,
};

export const float: ValueType<number> = {
  name: "float64",
  zero: 0,
  noEmpty: true,
  parse(text) {
    const value = Number(text);
    if (text.trim() === "" || Number.isNaN(value)) throw new Error(`invalid number ${JSON.stringify(text)}`);
    return value;
  },
  format: String,
};

/** Milliseconds. */
export const duration: ValueType<number> = {
  name: "duration",
  zero: 0,
  noEmpty: true,
  parse: (text) => parseDuration(text),
  format: formatDuration,
};

/** One CSV record: commas split, `"` quotes, doubled quotes inside. */
export function parseCsv(text: string): string[] {
  if (text === "") return [];
  const out: string[] = [];
  let at = 0;
  for (;;) {
    const quoted = /"((?:[^"]|"")*)"/y;
    const plain = /[^,]*/y;
    quoted.lastIndex = plain.lastIndex = at;
    const match = quoted.exec(text) ?? plain.exec(text);
    out.push(
      text[at] === '"' && match?.[1] !== undefined ? match[1].replaceAll('""', '"') : (match?.[0] ?? ""),
    );
    at += match?.[0].length ?? 0;
    if (at >= text.length) return out;
    if (text[at] !== ",") throw new Error(`invalid list ${JSON.stringify(text)}: text after a closing quote`);
    at++;
  }
}

export function formatCsv(values: readonly string[]): string {
  return values.map((value) => (/[",\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value)).join(",");
}

/** Each further occurrence appends; an empty value clears. */
export const strings: ValueType<readonly string[]> = {
  name: "string-array",
  zero: [],
  parse: (text, previous = []) => (text === "" ? [] : [...previous, ...parseCsv(text)]),
  format: formatCsv,
};

export function oneOf<const C extends readonly string[]>(...choices: C): ValueType<C[number]> {
  return {
    name: choices.join("|"),
    zero: choices[0] ?? "",
    choices,
    noEmpty: true,
    parse(text) {
      const found = choices.find((choice) => choice === text);
      if (found === undefined) {
        throw new Error(`invalid choice: ${text}, should be one of [${choices.join(" ")}]`);
      }
      return found;
    },
    format: (value) => value,
  };
}

/** A list of choices, compared without case and with `_` for a blank; the choice's own spelling is kept. */
export function someOf(...choices: readonly string[]): ValueType<readonly string[]> {
  const fold = (text: string): string => text.toLowerCase().replaceAll("_", " ");
  return {
    name: `[${choices.join("|")}]`,
    zero: [],
    choices,
    parse(text, previous = []) {
      const items = parseCsv(text).map((item) => {
        const found = choices.find((choice) => fold(choice) === fold(item));
        if (found === undefined) {
          throw new Error(`invalid choice: ${item}, should be one of [${choices.join(" ")}]`);
        }
        return found;
      });
      return text === "" ? [] : [...previous, ...items];
    },
    format: formatCsv,
  };
}

/** Kept as text: almost anything is a URL here; users of the value decide. */
export const url: ValueType<string> = {
  name: "url",
  zero: "",
  parse: (text) => text.trim(),
  format: (value) => value,
};

export const configPath: ValueType<string> = { ...string, name: "yaml-config-path" };

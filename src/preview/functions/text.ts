/** String functions. */
import { formatNum, fromInt, parseNum } from "../cty/number.ts";
import * as t from "../cty/type.ts";
import * as v from "../cty/value.ts";
import { ValueError } from "../cty/value.ts";
import {
  any,
  arg,
  define,
  type FunctionTable,
  intOf,
  number,
  stringList,
  text,
  textFunction,
  textOf,
  texts,
  textsOf,
} from "./define.ts";
import { format, formatList } from "./format.ts";
import { regex, regexAll, replace } from "./regex.ts";

const graphemes = (s: string): string[] =>
  [...new Intl.Segmenter("en", { granularity: "grapheme" }).segment(s)].map((part) => part.segment);

function trimSet(s: string, cut: string, ends: "both" | "start" | "end" = "both"): string {
  const letters = new Set(cut);
  const all = Array.from(s);
  let from = 0;
  let to = all.length;
  if (ends !== "end") while (from < to && letters.has(all[from] ?? "")) from += 1;
  if (ends !== "start") while (to > from && letters.has(all[to - 1] ?? "")) to -= 1;
  return all.slice(from, to).join("");
}

/** First letter of every word in upper case; words begin after anything that is no letter, digit or `_`. */
const title = (s: string): string =>
  s.replace(
    /(^|[^\p{L}\p{N}_])(\p{L})/gu,
    (_all, before: string, letter: string) => before + letter.toUpperCase(),
  );

function substr(s: string, offset: number, length: number): string {
  const all = graphemes(s);
  const from = offset < 0 ? Math.max(0, all.length + offset) : offset;
  if (length === 0) return "";
  return all.slice(from, length < 0 ? undefined : from + length).join("");
}

export const textFunctions: FunctionTable = {
  upper: textFunction(1, (s) => s.toUpperCase()),
  lower: textFunction(1, (s) => s.toLowerCase()),
  title: textFunction(1, title),
  trimspace: textFunction(1, (s) => s.trim()),
  trim: textFunction(2, (s, cut) => trimSet(s, cut)),
  trimprefix: textFunction(2, (s, prefix) => (s.startsWith(prefix) ? s.slice(prefix.length) : s)),
  trimsuffix: textFunction(2, (s, suffix) =>
    suffix !== "" && s.endsWith(suffix) ? s.slice(0, -suffix.length) : s,
  ),
  chomp: textFunction(1, (s) => s.replace(/(?:\r\n|\n|\r)+$/, "")),
  strrev: textFunction(1, (s) => graphemes(s).reverse().join("")),
  indent: define({ params: [number, text], returns: t.string }, (args) =>
    v.str(textOf(args[1]).replaceAll("\n", `\n${" ".repeat(Math.min(Math.max(0, intOf(args[0])), 1000))}`)),
  ),
  substr: define({ params: [text, number, number], returns: t.string }, (args) =>
    v.str(substr(textOf(args[0]), intOf(args[1]), intOf(args[2]))),
  ),
  startswith: define({ params: [text, text], returns: t.bool }, (args) =>
    v.bool(textOf(args[0]).startsWith(textOf(args[1]))),
  ),
  endswith: define({ params: [text, text], returns: t.bool }, (args) =>
    v.bool(textOf(args[0]).endsWith(textOf(args[1]))),
  ),
  strcontains: define({ params: [text, text], returns: t.bool }, (args) =>
    v.bool(textOf(args[0]).includes(textOf(args[1]))),
  ),
  split: define({ params: [text, text], returns: t.list(t.string) }, (args, context) => {
    const whole = textOf(args[1]);
    context.spend(whole.length >> 2);
    return stringList(whole === "" ? [""] : whole.split(textOf(args[0])));
  }),
  join: define({ params: [text, texts], rest: texts, returns: t.string }, (args, context) => {
    const joined = args.slice(1).flatMap(textsOf).join(textOf(args[0]));
    context.spend(joined.length >> 6);
    return v.str(joined);
  }),
  replace: define({ params: [text, text, text], returns: t.string }, (args, context) => {
    const out = replace(textOf(args[0]), textOf(args[1]), textOf(args[2]));
    context.spend(out.length >> 4);
    return v.str(out);
  }),
  regex: define({ params: [text, text] }, (args) => regex(textOf(args[0]), textOf(args[1]))),
  regexall: define({ params: [text, text] }, (args) => regexAll(textOf(args[0]), textOf(args[1]))),
  format: define(
    { params: [text], rest: { type: t.dynamic, nullable: true }, returns: t.string },
    (args, context) => {
      const out = format(textOf(args[0]), args.slice(1));
      context.spend(out.length >> 6);
      return v.str(out);
    },
  ),
  formatlist: define(
    { params: [text], rest: { type: t.dynamic, nullable: true }, returns: t.list(t.string) },
    (args) => formatList(textOf(args[0]), args.slice(1)),
  ),
  parseint: define({ params: [any, number], returns: t.number }, (args) => {
    const source = arg(args, 0);
    const digits = v.isNum(source.content) ? formatNum(source.content) : textOf(source);
    const base = intOf(args[1]);
    if (base < 2 || base > 62) {
      throw new ValueError("base must be a whole number between 2 and 62 inclusive", 1);
    }
    return v.num(parseInt62(digits, base));
  }),
};

const digits62 = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

function parseInt62(digits: string, base: number) {
  const refuse = () =>
    new ValueError(`cannot parse ${JSON.stringify(digits.slice(0, 100))} as a base ${base} integer`, 0);
  if (base === 10) {
    const parsed = /^[+-]?\d+$/.test(digits) ? parseNum(digits) : undefined;
    if (!parsed) throw refuse();
    return parsed;
  }
  const negative = digits.startsWith("-");
  const body = digits.replace(/^[+-]/, "");
  if (body === "" || body.length > 512) throw refuse();
  let total = 0n;
  for (const c of base <= 36 ? body.toLowerCase() : body) {
    const digit = digits62.indexOf(c);
    if (digit < 0 || digit >= base) throw refuse();
    total = total * BigInt(base) + BigInt(digit);
  }
  return fromInt(negative ? -total : total);
}

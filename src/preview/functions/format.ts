/** `format` and `formatlist`: Terraform's verbs `%v %#v %t %b %d %o %x %X %e %E %f %g %G %s %q`. */
import { asText, convert, isSequence } from "../cty/convert.ts";
import { encodeJson, jsonString } from "../cty/json.ts";
import { formatNum, toDouble, toSafeInt, truncate, type Num } from "../cty/number.ts";
import * as t from "../cty/type.ts";
import * as v from "../cty/value.ts";
import { ValueError, type Value } from "../cty/value.ts";

interface Verb {
  readonly flags: string;
  readonly width: number | undefined;
  readonly precision: number | undefined;
  readonly letter: string;
}

const pattern = /%(?:%|([-+ #0]*)(\d{1,4})?(?:\.(\d{1,4}))?(?:\[(\d{1,3})\])?(.|$))/gsu;

export function format(template: string, args: readonly Value[]): string {
  let next = 0;
  let highest = 0;
  const out = template.replace(
    pattern,
    (all, flags?: string, width?: string, precision?: string, position?: string, letter?: string) => {
      if (all === "%%") return "%";
      if (!letter) throw new ValueError("unexpected end of string at the end of a format verb", 0);
      const at = position === undefined ? next : Number(position) - 1;
      next = at + 1;
      highest = Math.max(highest, next);
      const arg = args[at];
      if (!arg) {
        throw new ValueError(`not enough arguments for ${JSON.stringify(all)}: need argument ${at + 1}`, 0);
      }
      return verb(
        {
          flags: flags ?? "",
          width: width === undefined ? undefined : Number(width),
          precision: precision === undefined ? undefined : Number(precision),
          letter,
        },
        arg,
        at,
      );
    },
  );
  if (highest < args.length) {
    throw new ValueError(`too many arguments; only ${highest} used by format string`, highest + 1);
  }
  return out;
}

function verb(spec: Verb, arg: Value, at: number): string {
  try {
    return pad(spec, text(spec, arg));
  } catch (error) {
    if (error instanceof ValueError) {
      throw new ValueError(`unsupported value for "%${spec.letter}": ${error.message}`, at + 1);
    }
    throw error;
  }
}

function pad(spec: Verb, body: string): string {
  const length = Array.from(body).length;
  if (spec.width === undefined || spec.width <= length) return body;
  const fill = spec.width - length;
  if (spec.flags.includes("-")) return body + " ".repeat(fill);
  if (spec.flags.includes("0") && "bdoxXeEfgGv".includes(spec.letter)) {
    const sign = /^[+-]/.exec(body)?.[0] ?? "";
    return sign + "0".repeat(fill) + body.slice(sign.length);
  }
  return (spec.flags.includes("0") ? "0" : " ").repeat(fill) + body;
}

function text(spec: Verb, arg: Value): string {
  switch (spec.letter) {
    case "v":
      return general(spec, arg);
    case "t":
      return String(boolean(arg));
    case "s":
    case "q": {
      if (arg.content === null) throw new ValueError("null value cannot be formatted");
      const whole = asText(arg);
      const cut = spec.precision === undefined ? whole : Array.from(whole).slice(0, spec.precision).join("");
      return spec.letter === "q" ? jsonString(cut) : cut;
    }
    default:
      return numeric(spec, numberOf(arg));
  }
}

function general(spec: Verb, arg: Value): string {
  if (spec.flags.includes("#") || arg.content === null || v.isContainer(arg)) return encodeJson(arg);
  if (v.isNum(arg.content)) return signed(spec, formatNum(arg.content));
  return asText(arg);
}

function boolean(arg: Value): boolean {
  const { content } = convert(arg, t.bool);
  if (typeof content !== "boolean") throw new ValueError("bool required");
  return content;
}

function numberOf(arg: Value): Num {
  const { content } = convert(arg, t.number);
  if (!v.isNum(content)) throw new ValueError("null value cannot be formatted");
  return content;
}

const signed = (spec: Verb, digits: string): string =>
  digits.startsWith("-")
    ? digits
    : spec.flags.includes("+")
      ? `+${digits}`
      : spec.flags.includes(" ")
        ? ` ${digits}`
        : digits;

const bases: Readonly<Record<string, number>> = { b: 2, o: 8, x: 16, X: 16 };

function numeric(spec: Verb, value: Num): string {
  const base = Object.hasOwn(bases, spec.letter) ? bases[spec.letter] : undefined;
  if (base !== undefined || spec.letter === "d") {
    const whole = truncate(value);
    const digits = (whole.m << BigInt(whole.e)).toString(base ?? 10);
    return signed(spec, spec.letter === "X" ? digits.toUpperCase() : digits);
  }
  const double = toDouble(value);
  switch (spec.letter) {
    case "f":
      return signed(spec, fixed(value, double, spec.precision ?? 6));
    case "e":
    case "E": {
      const out = exponent(double.toExponential(spec.precision ?? 6));
      return signed(spec, spec.letter === "E" ? out.toUpperCase() : out);
    }
    case "g":
    case "G": {
      const out = shortest(double, spec.precision);
      return signed(spec, spec.letter === "G" ? out.toUpperCase() : out);
    }
    default:
      throw new ValueError(`unsupported format verb ${JSON.stringify(spec.letter)}`);
  }
}

function fixed(value: Num, double: number, precision: number): string {
  const whole = toSafeInt(value);
  if (whole === undefined && value.e >= 0) {
    return formatNum(value) + (precision > 0 ? `.${"0".repeat(precision)}` : "");
  }
  return double.toFixed(Math.min(precision, 100));
}

/** Two digits of exponent at least, as C prints it. */
const exponent = (digits: string): string => digits.replace(/e([+-])(\d)$/, "e$10$2");

function shortest(value: number, precision?: number): string {
  if (value === 0) return "0";
  const size = Math.floor(Math.log10(Math.abs(value)));
  const limit = precision === undefined ? 21 : Math.max(precision, 1);
  if (size < -4 || size >= limit) {
    return exponent(
      precision === undefined
        ? value.toExponential()
        : String(value.toExponential(limit - 1)).replace(/\.?0+e/, "e"),
    );
  }
  return precision === undefined ? String(value) : String(Number(value.toPrecision(limit)));
}

/** One text per element of the list arguments, which must be equally long. */
export function formatList(template: string, args: readonly Value[]): Value {
  let length: number | undefined;
  for (const [at, arg] of args.entries()) {
    if (!isSequence(arg.type) || arg.content === null) continue;
    const count = v.items(arg).length;
    if (length !== undefined && count !== length) {
      throw new ValueError(
        `argument ${at + 1} has length ${count}, which is inconsistent with length ${length}`,
        at + 1,
      );
    }
    length = count;
  }
  const out = Array.from({ length: length ?? 1 }, (_none, at) =>
    v.str(
      format(
        template,
        args.map((arg) => (isSequence(arg.type) ? (v.items(arg)[at] ?? v.nullOf()) : arg)),
      ),
    ),
  );
  return v.list(t.string, out);
}

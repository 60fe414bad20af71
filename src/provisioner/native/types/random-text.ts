/** `random_string` and `random_password`: the same choice of characters, kept openly or not. */
import type { Rand } from "#cryptorand/cryptorand.ts";
import * as t from "#preview/cty/type.ts";
import * as v from "#preview/cty/value.ts";
import type { Value } from "#preview/cty/value.ts";
import { bcryptHash } from "#preview/functions/bcrypt.ts";
import type { Attribute } from "../schema.ts";
import { computed, define, type Field, optional, required, withDefault } from "./define.ts";
import { keepers, lengthProblem, randomProvider, shuffle } from "./random-parts.ts";

const classes = {
  upper: "ABCDEFGHIJKLMNOPQRSTUVWXYZ",
  lower: "abcdefghijklmnopqrstuvwxyz",
  numeric: "0123456789",
  special: "!@#$%&*()-_=+[]{}<>:?",
} as const;

function randomText(field: Field, rand: Rand): string {
  const special = field.text("override_special") || classes.special;
  const alphabet = { ...classes, special };
  const names = ["upper", "lower", "numeric", "special"] as const;
  const letters: string[] = [];
  for (const name of names) {
    letters.push(...Array.from(rand.string(field.int(`min_${name}`), alphabet[name])));
  }
  const all = names
    .filter((name) => field.flag(name))
    .map((name) => alphabet[name])
    .join("");
  letters.push(...Array.from(rand.string(field.int("length") - letters.length, all)));
  return shuffle(letters, rand).join("");
}

function textProblem(field: Field): string | undefined {
  const least = (["upper", "lower", "numeric", "special"] as const).reduce(
    (sum, name) => sum + field.int(`min_${name}`),
    0,
  );
  if (least > field.int("length")) {
    return `the length is ${field.int("length")}, but the minimums need ${least}`;
  }
  if (!["upper", "lower", "numeric", "special"].some((name) => field.flag(name))) {
    return "no kind of characters is allowed";
  }
  return lengthProblem(field.int("length"));
}

const attributes: Readonly<Record<string, Attribute>> = {
  id: computed(t.string),
  keepers,
  length: required(t.number),
  special: withDefault(t.bool),
  upper: withDefault(t.bool),
  lower: withDefault(t.bool),
  number: withDefault(t.bool),
  numeric: withDefault(t.bool),
  min_numeric: withDefault(t.number),
  min_upper: withDefault(t.number),
  min_lower: withDefault(t.number),
  min_special: withDefault(t.number),
  override_special: optional(t.string),
};

const defaults: Readonly<Record<string, Value>> = {
  special: v.bool(true),
  upper: v.bool(true),
  lower: v.bool(true),
  number: v.bool(true),
  numeric: v.bool(true),
  min_numeric: v.int(0),
  min_upper: v.int(0),
  min_lower: v.int(0),
  min_special: v.int(0),
};

/** `number` is the old name of `numeric`: what one says holds for both. */
function settle(config: Value): Value {
  const given = v.entries(config);
  const either = [given.get("numeric"), given.get("number")].find((item) => item && item.content !== null);
  return either ? v.object([...given, ["number", either], ["numeric", either]]) : config;
}

const common = { provider: randomProvider, defaults, settle, check: textProblem };

const randomString = define({
  ...common,
  type: "random_string",
  version: 2,
  attributes: { ...attributes, result: computed(t.string) },
  make(field, rand) {
    const result = v.str(randomText(field, rand));
    return { id: result, result };
  },
});

const secret: Attribute = { type: t.string, computed: true, sensitive: true };

const randomPassword = define({
  ...common,
  type: "random_password",
  version: 3,
  attributes: { ...attributes, result: secret, bcrypt_hash: secret },
  make(field, rand) {
    const result = randomText(field, rand);

    return { id: v.str("none"), result: v.str(result), bcrypt_hash: v.str(bcryptHash(result, 10, rand)) };
  },
});

export const randomTextTypes = [randomString, randomPassword] as const;

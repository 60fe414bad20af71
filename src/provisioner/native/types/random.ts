/** The `random` provider's types, save `random_password` (its bcrypt hash). Every change makes a new value. */
import { createHash } from "node:crypto";
import type { Rand } from "#cryptorand/cryptorand.ts";
import * as t from "#preview/cty/type.ts";
import { toSafeInt } from "#preview/cty/number.ts";
import * as v from "#preview/cty/value.ts";
import type { Value } from "#preview/cty/value.ts";
import type { Attribute } from "../schema.ts";
import { same } from "../values.ts";
import type { ManagedType, Path, TypeProblem } from "./native-type.ts";

interface Definition {
  readonly type: string;
  readonly version: number;
  readonly attributes: Readonly<Record<string, Attribute>>;
  readonly defaults?: Readonly<Record<string, Value>>;
  readonly check?: (field: Field) => string | undefined;
  /** Values of the computed attributes. */
  readonly make: (field: Field, rand: Rand) => Readonly<Record<string, Value>>;
}

interface Field {
  readonly text: (name: string) => string;
  readonly int: (name: string) => number;
  readonly flag: (name: string) => boolean;
  readonly texts: (name: string) => readonly string[];
  readonly given: (name: string) => boolean;
}

const required = (type: t.Type): Attribute => ({ type, required: true });
const optional = (type: t.Type): Attribute => ({ type, optional: true });
const withDefault = (type: t.Type): Attribute => ({ type, optional: true, computed: true });
const computed = (type: t.Type): Attribute => ({ type, computed: true });
const keepers = optional(t.map(t.string));

function fields(value: Value): Field {
  const at = (name: string): Value => v.entries(value).get(name) ?? v.nullOf();
  return {
    text: (name) => {
      const { content } = at(name);
      return typeof content === "string" ? content : "";
    },
    int: (name) => {
      const { content } = at(name);
      return v.isNum(content) ? (toSafeInt(content) ?? Number.NaN) : 0;
    },
    flag: (name) => at(name).content === true,
    texts: (name) =>
      v.items(at(name)).flatMap(({ content }) => (typeof content === "string" ? [content] : [])),
    given: (name) => at(name).content !== null && at(name).content !== undefined,
  };
}

function define(definition: Definition): ManagedType {
  const { attributes, defaults = {} } = definition;
  const decided = Object.entries(attributes)
    .filter(([, item]) => item.required || item.optional)
    .map(([name]) => name);
  const plan = (config: Value): Value =>
    v.object(
      [...v.entries(config)].map(([name, item]) => {
        if (item.content !== null) return [name, item] as const;
        const fallback = Object.hasOwn(defaults, name) ? defaults[name] : undefined;
        const type = attributes[name]?.type ?? t.dynamic;
        return [name, fallback ?? (attributes[name]?.computed ? v.unknownOf(type) : item)] as const;
      }),
    );
  return {
    mode: "managed",
    type: definition.type,
    provider: "registry.terraform.io/hashicorp/random",
    version: definition.version,
    schema: { attributes, blocks: {} },
    plan(config, prior) {
      const fresh = plan(config);
      const message = v.isWhollyKnown(config) ? definition.check?.(fields(fresh)) : undefined;
      const problems: TypeProblem[] =
        message === undefined
          ? []
          : [{ severity: "error", summary: `Invalid ${definition.type}`, detail: message }];
      if (!prior) return { planned: fresh, replace: [], problems };
      const before = v.entries(prior);
      const replace: Path[] = decided
        .filter((name) => !same(v.entries(fresh).get(name) ?? v.nullOf(), before.get(name) ?? v.nullOf()))
        .map((name) => [name]);
      return { planned: replace.length > 0 ? fresh : prior, replace, problems };
    },
    create(planned, { rand }) {
      const field = fields(planned);
      const message = definition.check?.(field);
      if (message !== undefined) {
        return {
          state: planned,
          problems: [{ severity: "error", summary: `Invalid ${definition.type}`, detail: message }],
        };
      }
      return {
        state: v.object([...v.entries(planned), ...Object.entries(definition.make(field, rand))]),
        problems: [],
      };
    },
  };
}

const maxLength = 65_536;
const lengthProblem = (length: number): string | undefined =>
  length >= 1 && length <= maxLength
    ? undefined
    : `the length must be between 1 and ${maxLength}, got ${length}`;

const bytesId = define({
  type: "random_id",
  version: 0,
  attributes: {
    id: computed(t.string),
    keepers,
    byte_length: required(t.number),
    prefix: optional(t.string),
    b64_url: computed(t.string),
    b64_std: computed(t.string),
    hex: computed(t.string),
    dec: computed(t.string),
  },
  check: (field) => lengthProblem(field.int("byte_length")),
  make(field, rand) {
    const bytes = rand.bytes(field.int("byte_length"));
    const prefix = field.text("prefix");
    return {
      id: v.str(bytes.toString("base64url")),
      b64_url: v.str(prefix + bytes.toString("base64url")),
      b64_std: v.str(prefix + bytes.toString("base64")),
      hex: v.str(prefix + bytes.toString("hex")),
      dec: v.str(prefix + BigInt(`0x${bytes.toString("hex")}`).toString()),
    };
  },
});

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

function shuffle<T>(items: readonly T[], rand: Rand): T[] {
  const out = [...items];
  for (let at = out.length - 1; at > 0; at -= 1) {
    const other = rand.int(at + 1);
    const [a, b] = [out[at], out[other]];
    if (a === undefined || b === undefined) continue;
    out[at] = b;
    out[other] = a;
  }
  return out;
}

const randomString = define({
  type: "random_string",
  version: 2,
  attributes: {
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
    result: computed(t.string),
  },
  defaults: {
    special: v.bool(true),
    upper: v.bool(true),
    lower: v.bool(true),
    number: v.bool(true),
    numeric: v.bool(true),
    min_numeric: v.int(0),
    min_upper: v.int(0),
    min_lower: v.int(0),
    min_special: v.int(0),
  },
  check: textProblem,
  make(field, rand) {
    const result = v.str(randomText(field, rand));
    return { id: result, result };
  },
});

const qualities =
  "able bold brave bright brisk calm civil clear crisp deft eager early fair fine fleet fond free fresh glad grand keen kind lively lucid merry mild neat noble plain proud quick quiet rapid ready sharp smart solid sound spry steady stout sunny swift tidy vivid warm wise witty young zesty".split(
    " ",
  );
const manners =
  "ably boldly briskly calmly clearly deftly duly fairly finely firmly fondly freely gladly justly keenly kindly lightly mildly neatly nicely openly plainly quickly quietly rarely readily safely sharply simply softly soundly surely swiftly tidily truly vastly warmly widely wisely".split(
    " ",
  );
const animals =
  "ant badger bat bear beaver bee bison boar camel carp cat clam cobra crab crane crow deer dingo dove drake duck eagle eel elk emu falcon finch fox frog gecko goat goose gull hare hawk heron ibex jay kite koala lark lion llama lynx mole moose moth mule newt otter owl panda pika puma quail rat raven ray robin seal shark sheep shrew skunk sloth snail stoat stork swan tapir tern tiger toad trout vole wasp whale wolf wren yak zebra".split(
    " ",
  );

const pick = (words: readonly string[], rand: Rand): string => words[rand.int(words.length)] ?? "";

const pet = define({
  type: "random_pet",
  version: 0,
  attributes: {
    id: computed(t.string),
    keepers,
    length: withDefault(t.number),
    prefix: optional(t.string),
    separator: withDefault(t.string),
  },
  defaults: { length: v.int(2), separator: v.str("-") },
  check: (field) => lengthProblem(field.int("length")),
  make(field, rand) {
    const count = field.int("length");
    const words = [
      ...(field.given("prefix") && field.text("prefix") !== "" ? [field.text("prefix")] : []),
      ...Array.from({ length: Math.max(0, count - 2) }, () => pick(manners, rand)),
      ...(count > 1 ? [pick(qualities, rand)] : []),
      pick(animals, rand),
    ];
    return { id: v.str(words.join(field.text("separator"))) };
  },
});

const uuid = define({
  type: "random_uuid",
  version: 0,
  attributes: { id: computed(t.string), keepers, result: computed(t.string) },
  make(_field, rand) {
    const result = v.str(rand.uuid());
    return { id: result, result };
  },
});

/** Random numbers that a seed decides; another sequence than the Go provider's. */
function seeded(seed: string, rand: Rand): Rand {
  if (seed === "") return rand;
  let counter = 0;
  return {
    ...rand,
    int(max) {
      counter += 1;
      return createHash("sha256").update(`${seed} ${counter}`).digest().readUInt32BE(0) % max;
    },
  };
}

const integer = define({
  type: "random_integer",
  version: 0,
  attributes: {
    id: computed(t.string),
    keepers,
    min: required(t.number),
    max: required(t.number),
    seed: optional(t.string),
    result: computed(t.number),
  },
  check(field) {
    const span = field.int("max") - field.int("min") + 1;
    if (!(span >= 1)) return "the minimum must be less than or equal to the maximum, both whole numbers";
    return span > 2 ** 32 ? "the range is larger than 2^32" : undefined;
  },
  make(field, rand) {
    const result =
      field.int("min") + seeded(field.text("seed"), rand).int(field.int("max") - field.int("min") + 1);
    return { id: v.str(String(result)), result: v.int(result) };
  },
});

const shuffled = define({
  type: "random_shuffle",
  version: 0,
  attributes: {
    id: computed(t.string),
    keepers,
    input: required(t.list(t.string)),
    result_count: optional(t.number),
    seed: optional(t.string),
    result: computed(t.list(t.string)),
  },
  check: (field) =>
    field.int("result_count") <= maxLength ? undefined : `result_count is larger than ${maxLength}`,
  make(field, rand) {
    const input = field.texts("input");
    const count = field.given("result_count") ? field.int("result_count") : input.length;
    const source = seeded(field.text("seed"), rand);
    const out: string[] = [];
    while (out.length < count && input.length > 0) {
      out.push(...shuffle(input, source).slice(0, count - out.length));
    }
    return { id: v.str("-"), result: v.list(t.string, out.map(v.str)) };
  },
});

const bytes = define({
  type: "random_bytes",
  version: 0,
  attributes: {
    keepers,
    length: required(t.number),
    base64: { type: t.string, computed: true, sensitive: true },
    hex: { type: t.string, computed: true, sensitive: true },
  },
  check: (field) => lengthProblem(field.int("length")),
  make(field, rand) {
    const made = rand.bytes(field.int("length"));
    return { base64: v.str(made.toString("base64")), hex: v.str(made.toString("hex")) };
  },
});

export const randomTypes: readonly ManagedType[] = [
  bytesId,
  randomString,
  pet,
  uuid,
  integer,
  shuffled,
  bytes,
];

/** The `random` provider's types. Every change makes a new value. */
import { createHash } from "node:crypto";
import type { Rand } from "#cryptorand/cryptorand.ts";
import * as t from "#preview/cty/type.ts";
import * as v from "#preview/cty/value.ts";
import { computed, define, optional, required, withDefault } from "./define.ts";
import type { ManagedType } from "./native-type.ts";
import { keepers, lengthProblem, maxLength, randomProvider as provider, shuffle } from "./random-parts.ts";
import { randomTextTypes } from "./random-text.ts";

const bytesId = define({
  provider,
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
  provider,
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

const uuidType = (type: string, make: (rand: Rand, now: number) => string): ManagedType =>
  define({
    provider,
    type,
    version: 0,
    attributes: { id: computed(t.string), keepers, result: computed(t.string) },
    make(_field, rand, { clock }) {
      const result = v.str(make(rand, clock.now().getTime()));
      return { id: result, result };
    },
  });

/** RFC 9562 §5.7: 48 bits of milliseconds before the chance. */
function uuidV7(rand: Rand, now: number): string {
  const time = now.toString(16).padStart(12, "0");
  return `${time.slice(0, 8)}-${time.slice(8)}-7${rand.uuid().slice(15)}`;
}

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
  provider,
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
  provider,
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
  provider,
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
  ...randomTextTypes,
  pet,
  uuidType("random_uuid", (rand) => rand.uuid()),
  uuidType("random_uuid4", (rand) => rand.uuid()),
  uuidType("random_uuid7", uuidV7),
  integer,
  shuffled,
  bytes,
];

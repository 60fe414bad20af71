/** The `time` provider's types: moments that stay, moments that pass, and waits. */
import * as t from "#preview/cty/type.ts";
import * as v from "#preview/cty/value.ts";
import type { Value } from "#preview/cty/value.ts";
import { parseDuration } from "#util/duration.ts";
import type { Attribute } from "../schema.ts";
import { same } from "../values.ts";
import { computed, type Field, fields, optional, withDefault } from "./define.ts";
import { formatMoment, type Moment, parseMoment, shift } from "./moment.ts";
import type { Made, ManagedType, Path, TypeContext, TypeProblem } from "./native-type.ts";

const provider = "registry.terraform.io/hashicorp/time";
const triggers = optional(t.map(t.string));

const partNames = ["day", "hour", "minute", "month", "second", "unix", "year"] as const;
const parts: Readonly<Record<string, Attribute>> = Object.fromEntries(
  partNames.map((name) => [name, computed(t.number)]),
);

/** Calendar fields in the moment's own zone. */
function partsOf(moment: Moment): Readonly<Record<string, Value>> {
  const at = new Date(moment.ms + moment.offsetMinutes * 60_000);
  return {
    day: v.int(at.getUTCDate()),
    hour: v.int(at.getUTCHours()),
    minute: v.int(at.getUTCMinutes()),
    month: v.int(at.getUTCMonth() + 1),
    second: v.int(at.getUTCSeconds()),
    unix: v.int(Math.floor(moment.ms / 1000)),
    year: v.int(at.getUTCFullYear()),
  };
}

interface Definition {
  readonly type: string;
  readonly attributes: Readonly<Record<string, Attribute>>;
  /** Texts that must be moments. */
  readonly moments: readonly string[];
  readonly check?: (field: Field) => string | undefined;
  /** Arguments whose change makes a new moment. */
  readonly replace: readonly string[];
  /** All computed attributes, once every argument is known. */
  readonly settle: (field: Field, now: () => Moment) => Readonly<Record<string, Value>>;
  /** True when the plan can already tell them; else they are known after apply. */
  readonly early: (field: Field) => boolean;
  readonly expired?: (field: Field, nowMs: number) => boolean;
}

const withFields = (value: Value, more: Readonly<Record<string, Value>>): Value =>
  v.object([...v.entries(value), ...Object.entries(more)]);

const at = (value: Value, name: string): Value => v.entries(value).get(name) ?? v.nullOf();

/** Now, to the second, as the provider stamps it. */
const nowOf = ({ clock }: TypeContext): Moment => ({
  ms: Math.floor(clock.now().getTime() / 1000) * 1000,
  offsetMinutes: 0,
});

function define(definition: Definition): ManagedType {
  const { attributes, replace: keys } = definition;
  const names = Object.keys(attributes);
  const isComputed = (name: string): boolean => attributes[name]?.computed === true;
  const unknowns = (config: Value): Value =>
    v.object(
      names.map((name) => {
        const given = at(config, name);
        const type = attributes[name]?.type ?? t.dynamic;
        return [name, isComputed(name) && given.content === null ? v.unknownOf(type) : given] as const;
      }),
    );
  const settled = (config: Value, now: () => Moment): Value =>
    withFields(config, definition.settle(fields(config), now));
  const problems = (config: Value): TypeProblem[] => {
    const field = fields(config);
    for (const name of definition.moments) {
      if (field.given(name) && !parseMoment(field.text(name))) {
        const detail = `${name} must be an RFC 3339 time such as 2030-01-31T10:00:00Z: received ${JSON.stringify(field.text(name).slice(0, 60))}`;
        return [{ severity: "error", summary: "Invalid time", detail, path: [name] }];
      }
    }
    const message = v.isWhollyKnown(config) ? definition.check?.(field) : undefined;
    return message === undefined
      ? []
      : [{ severity: "error", summary: `Invalid ${definition.type}`, detail: message }];
  };
  const make = (planned: Value, now: () => Moment): Made => ({ state: settled(planned, now), problems: [] });
  const { expired } = definition;
  return {
    mode: "managed",
    type: definition.type,
    provider,
    version: 0,
    schema: { attributes, blocks: {} },
    plan(config, prior) {
      const found = problems(config);
      const failed = found.length > 0 || !v.isWhollyKnown(config);
      if (!prior) {
        const early = !failed && definition.early(fields(config));
        return {
          planned: early ? settled(config, () => ({ ms: 0, offsetMinutes: 0 })) : unknowns(config),
          replace: [],
          problems: found,
        };
      }
      const replace: Path[] = keys
        .filter((name) => {
          const given = at(config, name);
          // A moment that was only stamped stays, however often it is planned.
          return !(isComputed(name) && given.content === null) && !same(given, at(prior, name));
        })
        .map((name) => [name]);
      if (failed || replace.length > 0) return { planned: unknowns(config), replace, problems: found };
      const kept = v.object(
        names.map((name) => {
          const given = at(config, name);
          const stays = isComputed(name) && given.content === null && keys.includes(name);
          return [name, stays ? at(prior, name) : given] as const;
        }),
      );
      const stamped = withFields(kept, { id: at(prior, "id") });
      return { planned: settled(stamped, () => ({ ms: 0, offsetMinutes: 0 })), replace, problems: found };
    },
    create: (planned, context) => make(planned, () => nowOf(context)),
    update: (planned, _prior, context) => make(planned, () => nowOf(context)),
    ...(expired
      ? {
          read: (state: Value, { clock }: TypeContext) =>
            expired(fields(state), clock.now().getTime()) ? undefined : state,
        }
      : {}),
  };
}

/** The moment of an argument, or now. */
const momentOf = (text: string, now: () => Moment): Moment => parseMoment(text) ?? now();

const timeStatic = define({
  type: "time_static",
  attributes: { id: computed(t.string), rfc3339: withDefault(t.string), triggers, ...parts },
  moments: ["rfc3339"],
  replace: ["rfc3339", "triggers"],
  early: (field) => field.given("rfc3339"),
  settle(field, now) {
    const moment = momentOf(field.text("rfc3339"), now);
    const text = v.str(formatMoment(moment));
    return { id: text, rfc3339: text, ...partsOf(moment) };
  },
});

const units = ["days", "hours", "minutes", "months", "seconds", "years"] as const;
const unitAttributes = (prefix: string, names: readonly string[]): Readonly<Record<string, Attribute>> =>
  Object.fromEntries(names.map((unit) => [`${prefix}_${unit}`, optional(t.number)]));

const oneOf = (field: Field, names: readonly string[]): string | undefined =>
  names.some((name) => field.given(name)) ? undefined : `one of these must be given: ${names.join(", ")}`;

const timeOffset = define({
  type: "time_offset",
  attributes: {
    id: computed(t.string),
    base_rfc3339: withDefault(t.string),
    rfc3339: computed(t.string),
    triggers,
    ...unitAttributes("offset", units),
    ...parts,
  },
  moments: ["base_rfc3339"],
  check: (field) =>
    oneOf(
      field,
      units.map((unit) => `offset_${unit}`),
    ),
  replace: ["base_rfc3339", "triggers"],
  early: () => false,
  settle(field, now) {
    const base = momentOf(field.text("base_rfc3339"), now);
    // One after the other, in this order: it shows at the ends of months.
    let moment = base;
    for (const unit of units) moment = shift(moment, unit, field.int(`offset_${unit}`));
    const text = v.str(formatMoment(base));
    return { id: text, base_rfc3339: text, rfc3339: v.str(formatMoment(moment)), ...partsOf(moment) };
  },
});

const rotationUnits = ["days", "hours", "minutes", "months", "years"] as const;
const rotationNames = rotationUnits.map((unit) => `rotation_${unit}`);

const timeRotating = define({
  type: "time_rotating",
  attributes: {
    id: computed(t.string),
    rfc3339: withDefault(t.string),
    rotation_rfc3339: withDefault(t.string),
    triggers,
    ...unitAttributes("rotation", rotationUnits),
    ...parts,
  },
  moments: ["rfc3339", "rotation_rfc3339"],
  check: (field) => oneOf(field, [...rotationNames, "rotation_rfc3339"]),
  replace: ["rfc3339", "triggers"],
  early: () => false,
  settle(field, now) {
    const base = momentOf(field.text("rfc3339"), now);
    let moment = momentOf(field.text("rotation_rfc3339"), () => base);
    // Of several the last counts, alone: the provider does so too.
    for (const unit of rotationUnits) {
      const count = field.int(`rotation_${unit}`);
      if (count !== 0) moment = shift(base, unit, count);
    }
    const text = v.str(formatMoment(base));
    return { id: text, rfc3339: text, rotation_rfc3339: v.str(formatMoment(moment)), ...partsOf(moment) };
  },
  expired: (field, nowMs) => {
    const end = parseMoment(field.text("rotation_rfc3339"));
    return end !== undefined && nowMs >= end.ms;
  },
});

/** Go's durations only: no days or weeks. */
function durationOf(text: string): number | undefined {
  if (/[dw]/.test(text)) return undefined;
  try {
    return parseDuration(text);
  } catch {
    return undefined;
  }
}

async function wait(state: Value, name: string, { clock, canceled }: TypeContext): Promise<void> {
  const ms = durationOf(fields(state).text(name)) ?? 0;
  if (ms > 0) await clock.sleep(ms, { signal: canceled, tag: "time_sleep" });
}

const timeSleep: ManagedType = {
  mode: "managed",
  type: "time_sleep",
  provider,
  version: 0,
  schema: {
    attributes: {
      id: computed(t.string),
      create_duration: optional(t.string),
      destroy_duration: optional(t.string),
      triggers,
    },
    blocks: {},
  },
  validate(config) {
    const field = fields(config);
    const names = ["create_duration", "destroy_duration"] as const;
    return names.flatMap((name): TypeProblem[] => {
      if (!field.given(name) || durationOf(field.text(name)) !== undefined) return [];
      const detail = `${name} must be a number with a unit, such as 30s or 1h5m: received ${JSON.stringify(field.text(name).slice(0, 60))}`;
      return [{ severity: "error", summary: "Invalid duration", detail, path: [name] }];
    });
  },
  plan(config, prior) {
    if (!prior) {
      return { planned: withFields(config, { id: v.unknownOf(t.string) }), replace: [], problems: [] };
    }
    const replace: Path[] = same(at(config, "triggers"), at(prior, "triggers")) ? [] : [["triggers"]];
    return { planned: withFields(config, { id: at(prior, "id") }), replace, problems: [] };
  },
  async create(planned, context) {
    await wait(planned, "create_duration", context);
    return {
      state: withFields(planned, { id: v.str(formatMoment(nowOf(context))) }),
      problems: [],
    };
  },
  update: (planned) => ({ state: planned, problems: [] }),
  destroy: (state, context) => wait(state, "destroy_duration", context),
};

export const timeTypes: readonly ManagedType[] = [timeStatic, timeOffset, timeRotating, timeSleep];

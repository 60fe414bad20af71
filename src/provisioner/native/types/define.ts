/** Short form for types whose whole value follows from their arguments and chance: every change makes a new one. */
import type { Rand } from "#cryptorand/cryptorand.ts";
import * as t from "#preview/cty/type.ts";
import { toSafeInt } from "#preview/cty/number.ts";
import * as v from "#preview/cty/value.ts";
import type { Value } from "#preview/cty/value.ts";
import type { Attribute } from "../schema.ts";
import { same } from "../values.ts";
import type { ManagedType, Path, TypeContext, TypeProblem } from "./native-type.ts";

export interface Definition {
  readonly type: string;
  /** Address of its provider. */
  readonly provider: string;
  readonly version: number;
  readonly attributes: Readonly<Record<string, Attribute>>;
  readonly defaults?: Readonly<Record<string, Value>>;
  readonly check?: (field: Field) => string | undefined;
  /** Defaults that depend on other arguments. */
  readonly settle?: (config: Value) => Value;
  /** Values of the computed attributes. */
  readonly make: (field: Field, rand: Rand, context: TypeContext) => Readonly<Record<string, Value>>;
}

export interface Field {
  readonly text: (name: string) => string;
  readonly int: (name: string) => number;
  readonly flag: (name: string) => boolean;
  readonly texts: (name: string) => readonly string[];
  readonly given: (name: string) => boolean;
}

export const required = (type: t.Type): Attribute => ({ type, required: true });
export const optional = (type: t.Type): Attribute => ({ type, optional: true });
export const withDefault = (type: t.Type): Attribute => ({ type, optional: true, computed: true });
export const computed = (type: t.Type): Attribute => ({ type, computed: true });

export function fields(value: Value): Field {
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

export function define(definition: Definition): ManagedType {
  const { attributes, defaults = {}, settle = (config: Value): Value => config } = definition;
  const decided = Object.entries(attributes)
    .filter(([, item]) => item.required || item.optional)
    .map(([name]) => name);
  const plan = (config: Value): Value =>
    v.object(
      [...v.entries(settle(config))].map(([name, item]) => {
        if (item.content !== null) return [name, item] as const;
        const fallback = Object.hasOwn(defaults, name) ? defaults[name] : undefined;
        const type = attributes[name]?.type ?? t.dynamic;
        return [name, fallback ?? (attributes[name]?.computed ? v.unknownOf(type) : item)] as const;
      }),
    );
  return {
    mode: "managed",
    type: definition.type,
    provider: definition.provider,
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
    create(planned, context) {
      const field = fields(planned);
      const message = definition.check?.(field);
      if (message !== undefined) {
        return {
          state: planned,
          problems: [{ severity: "error", summary: `Invalid ${definition.type}`, detail: message }],
        };
      }
      return {
        state: v.object([
          ...v.entries(planned),
          ...Object.entries(definition.make(field, context.rand, context)),
        ]),
        problems: [],
      };
    },
  };
}

/**
 * Short form for the `docker` types: arguments with defaults, which of them make a new object, and what the daemon
 * fills in. Null and zero are one where the real provider (an old SDK) makes no difference either, so that its states
 * plan to nothing here, and ours there.
 */
import * as t from "#preview/cty/type.ts";
import * as v from "#preview/cty/value.ts";
import type { Value } from "#preview/cty/value.ts";
import { fromProvider, type NestedBlock, type Schema, schemaType, toAttributes } from "../schema.ts";
import type { Json } from "../../coderprovider/types.ts";
import type { Made, ManagedType, Path, TypeContext } from "../types/native-type.ts";
import { same } from "../values.ts";
import type { DockerAccess } from "./access.ts";
import { DockerApiError } from "./client.ts";

export const dockerProvider = "registry.terraform.io/kreuzwerker/docker";

export type Fields = Readonly<Record<string, Json>>;

export interface DockerDefinition {
  readonly type: string;
  readonly version: number;
  readonly schema: Schema;
  readonly private: string;
  readonly defaults: Readonly<Record<string, Value>>;
  /** Arguments that change in place; every other change makes a new object. */
  readonly inPlace: ReadonlySet<string>;
  /** Blocks that keep what the daemon said where the template says nothing. */
  readonly keptBlocks?: ReadonlySet<string>;
  /** Arguments that the real provider has and this engine does not: templates with them go to Terraform. */
  readonly unsupported: readonly string[];
  readonly validate?: ManagedType["validate"];
  /** Before anything is made, when an object's id is not known: what finds it if we are killed now. */
  readonly intent?: (fields: Fields, access: DockerAccess, context: TypeContext) => Promise<Fields>;
  readonly create: (fields: Fields, access: DockerAccess, context: TypeContext) => Promise<DockerMade>;
  readonly update: (
    fields: Fields,
    prior: Fields,
    access: DockerAccess,
    context: TypeContext,
  ) => Promise<Fields>;
  /** Undefined if it is gone. */
  readonly read: (fields: Fields, access: DockerAccess, context: TypeContext) => Promise<Fields | undefined>;
  readonly destroy: (fields: Fields, access: DockerAccess, context: TypeContext) => Promise<void>;
}

/** `problem`: it exists, but is not as it should be. */
export interface DockerMade {
  readonly fields: Fields;
  readonly problem?: string;
}

export const required = (type: t.Type) => ({ type, required: true }) as const;
export const optional = (type: t.Type) => ({ type, optional: true }) as const;
export const computed = (type: t.Type) => ({ type, computed: true }) as const;
export const either = (type: t.Type) => ({ type, optional: true, computed: true }) as const;
export const nested = (
  nesting: "list" | "set",
  attributes: Schema["attributes"],
  more: { readonly blocks?: Schema["blocks"]; readonly max?: number } = {},
): NestedBlock => ({
  nesting,
  ...(more.max === undefined ? {} : { max: more.max }),
  schema: { attributes, blocks: more.blocks ?? {} },
});

const zero = (value: Value): boolean => {
  const { content } = value;
  if (content === null || content === "" || content === false) return true;
  if (Array.isArray(content) || content instanceof Map) return v.items(value).length === 0;
  return v.isNum(content) && content.m === 0n;
};

/** Within blocks the real provider writes "" and [] for what is not given; `defaults` by `block.attribute`. */
function settleBlock(
  value: Value,
  schema: Schema,
  defaults: Readonly<Record<string, Value>>,
  name: string,
): Value {
  if (!(value.content instanceof Map)) return value;
  return v.object(
    [...v.entries(value)].map(([key, item]) => {
      const block = Object.hasOwn(schema.blocks, key) ? schema.blocks[key] : undefined;
      if (block) return [key, settleBlocks(item, block, defaults, `${name}.${key}`)] as const;
      if (item.content !== null) return [key, item] as const;
      const type = schema.attributes[key]?.type ?? t.dynamic;
      const fallback = Object.hasOwn(defaults, `${name}.${key}`) ? defaults[`${name}.${key}`] : undefined;
      if (fallback) return [key, fallback] as const;
      if (type.kind === "string") return [key, v.str("")] as const;
      if (type.kind === "set") return [key, v.set(type.of, [])] as const;
      if (type.kind === "list") return [key, v.list(type.of, [])] as const;
      return [key, item] as const;
    }),
  );
}

function settleBlocks(
  value: Value,
  block: NestedBlock,
  defaults: Readonly<Record<string, Value>>,
  name: string,
): Value {
  if (!Array.isArray(value.content)) return value;
  const items = v.items(value).map((item) => settleBlock(item, block.schema, defaults, name));
  const of = schemaType(block.schema);
  return block.nesting === "set" && items.every(v.isWhollyKnown) ? v.set(of, items) : v.list(of, items);
}

export interface DockerType extends ManagedType {
  readonly unsupported: ReadonlySet<string>;
}

export function define(definition: DockerDefinition): DockerType {
  const { schema, defaults, inPlace, keptBlocks = new Set<string>() } = definition;
  const shape = schemaType(schema);
  const accessOf = ({ docker }: TypeContext): DockerAccess => {
    if (!docker) throw new Error("no Docker daemon was configured");
    return docker;
  };
  const toValue = (fields: Fields): Value => fromProvider(fields, shape);
  /** The daemon's words for what the plan left open; the configuration's for the rest. */
  const settled = (planned: Value, found: Fields): Value => {
    const filled = v.entries(toValue(found));
    return v.object(
      [...v.entries(planned)].map(([name, item]) => {
        const empty = item.content === null || (keptBlocks.has(name) && zero(item));
        const open = item.content === undefined || (empty && Object.hasOwn(found, name));
        return [name, open ? (filled.get(name) ?? v.nullOf()) : item] as const;
      }),
    );
  };
  function planned(config: Value, prior: Value | undefined): Value {
    const before = prior && v.entries(prior);
    return v.object(
      [...v.entries(config)].map(([name, item]) => {
        const block = Object.hasOwn(schema.blocks, name) ? schema.blocks[name] : undefined;
        const old = before?.get(name);
        if (block) {
          const blocks = settleBlocks(item, block, defaults, name);
          return [name, old && keptBlocks.has(name) && zero(blocks) ? old : blocks] as const;
        }
        const attribute = schema.attributes[name];
        if (item.content !== null) return [name, item] as const;
        const fallback = Object.hasOwn(defaults, name) ? defaults[name] : undefined;
        if (fallback) return [name, fallback] as const;
        if (attribute?.computed) return [name, old ?? v.unknownOf(attribute.type)] as const;
        return [name, old && zero(old) ? old : item] as const;
      }),
    );
  }
  return {
    mode: "managed",
    type: definition.type,
    provider: dockerProvider,
    version: definition.version,
    schema,
    private: definition.private,
    unsupported: new Set(definition.unsupported),
    ...(definition.validate ? { validate: definition.validate } : {}),
    plan(config, prior) {
      const wanted = planned(config, prior);
      if (!prior) return { planned: wanted, replace: [], problems: [] };
      const before = v.entries(prior);
      const replace: Path[] = [];
      for (const [name, item] of v.entries(wanted)) {
        const old = before.get(name) ?? v.nullOf();
        if (inPlace.has(name) || same(item, old) || (zero(item) && zero(old))) continue;
        replace.push([name]);
      }
      const quiet = v.object(
        [...v.entries(wanted)].map(([name, item]) => {
          const old = before.get(name);
          return [name, old && zero(item) && zero(old) ? old : item] as const;
        }),
      );
      return { planned: replace.length > 0 ? planned(config, undefined) : quiet, replace, problems: [] };
    },
    ...(definition.intent
      ? {
          async intent(wanted: Value, context: TypeContext) {
            const fields = await definition.intent?.(toAttributes(wanted), accessOf(context), context);
            return settledIntent(wanted, fields ?? {}, shape);
          },
        }
      : {}),
    async create(wanted, context): Promise<Made> {
      const { fields, problem } = await definition.create(toAttributes(wanted), accessOf(context), context);
      const state = settled(wanted, fields);
      if (problem === undefined) return { state, problems: [] };
      return { state, exists: true, problems: [{ severity: "error", summary: problem }] };
    },
    async update(wanted, prior, context): Promise<Made> {
      const fields = await definition.update(
        toAttributes(wanted),
        toAttributes(prior),
        accessOf(context),
        context,
      );
      return { state: settled(wanted, fields), problems: [] };
    },
    async read(state, context) {
      const found = await definition.read(toAttributes(state), accessOf(context), context);
      if (!found) return undefined;
      const news = v.entries(toValue(found));
      return v.object(
        [...v.entries(state)].map(
          ([name, item]) => [name, Object.hasOwn(found, name) ? (news.get(name) ?? item) : item] as const,
        ),
      );
    },
    destroy: (state, context) => definition.destroy(toAttributes(state), accessOf(context), context),
  };
}

/** Known parts of a plan with an id that finds the object by its name. */
function settledIntent(wanted: Value, fields: Fields, shape: t.Type): Value {
  const given = v.entries(fromProvider(fields, shape));
  return v.object(
    [...v.entries(wanted)].map(([name, item]) => {
      if (Object.hasOwn(fields, name)) return [name, given.get(name) ?? item] as const;
      return [name, v.isWhollyKnown(item) ? item : v.nullOf(item.type)] as const;
    }),
  );
}

/** Texts of a field that is a list or set of them. */
export const texts = (json: Json | undefined): string[] =>
  Array.isArray(json) ? json.filter((item): item is string => typeof item === "string") : [];

export const blocksOf = (json: Json | undefined): Fields[] =>
  Array.isArray(json)
    ? json.flatMap((item) =>
        typeof item === "object" && item !== null && !Array.isArray(item) ? [{ ...item }] : [],
      )
    : [];

/** As Docker takes options: a text. What is no plain value has no place among them. */
const plain = (json: Json): string =>
  typeof json === "string" ? json : typeof json === "number" || typeof json === "boolean" ? String(json) : "";

export const textMap = (json: Json | undefined): Record<string, string> =>
  typeof json === "object" && json !== null && !Array.isArray(json)
    ? Object.fromEntries(Object.entries(json).map(([key, item]) => [key, plain(item)]))
    : {};

/** `labels` blocks as Docker takes them. */
export const labelsOf = (json: Json | undefined): Record<string, string> =>
  Object.fromEntries(blocksOf(json).map(({ label, value }) => [str(label), str(value)]));

export const str = (json: Json | undefined): string => (typeof json === "string" ? json : "");
export const num = (json: Json | undefined): number => (typeof json === "number" ? json : 0);

export const labelsBlock = nested("set", { label: required(t.string), value: required(t.string) });

/** Removes something; that it is gone already is fine. */
export async function gone(remove: () => Promise<unknown>): Promise<void> {
  try {
    await remove();
  } catch (error) {
    if (!(error instanceof DockerApiError) || error.status !== 404) throw error;
  }
}

const busyTries = 40;
const busyWaitMs = 250;

/** What is in use may be let go in a moment, by a container that is just being removed. */
export async function whenFree(
  { clock, canceled }: TypeContext,
  remove: () => Promise<unknown>,
): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      return await gone(remove);
    } catch (error) {
      const busy = error instanceof DockerApiError && (error.status === 409 || error.status === 403);
      if (!busy || tries >= busyTries) throw error;
      await clock.sleep(busyWaitMs, { signal: canceled, tag: "docker-busy" });
    }
  }
}

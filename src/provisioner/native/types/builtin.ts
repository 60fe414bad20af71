/** `terraform_data` and `null_resource`: nothing but their triggers and provisioners. */
import * as t from "#preview/cty/type.ts";
import * as v from "#preview/cty/value.ts";
import type { Value } from "#preview/cty/value.ts";
import { same } from "../values.ts";
import type { ManagedType, Path } from "./native-type.ts";

const field = (value: Value, name: string): Value => v.entries(value).get(name) ?? v.nullOf();

const withFields = (value: Value, fields: Readonly<Record<string, Value>>): Value =>
  v.object([...v.entries(value), ...Object.entries(fields)]);

export const terraformData: ManagedType = {
  mode: "managed",
  type: "terraform_data",
  provider: "terraform.io/builtin/terraform",
  version: 0,
  schema: {
    attributes: {
      id: { type: t.string, computed: true },
      input: { type: t.dynamic, optional: true },
      output: { type: t.dynamic, computed: true },
      triggers_replace: { type: t.dynamic, optional: true },
    },
    blocks: {},
  },
  plan(config, prior) {
    const input = field(config, "input");
    const output =
      input.content === null ? v.nullOf() : v.unknownOf(input.content === undefined ? t.dynamic : input.type);
    if (!prior) {
      return {
        planned: withFields(config, { id: v.unknownOf(t.string), output }),
        replace: [],
        problems: [],
      };
    }
    const replace: Path[] = same(field(prior, "triggers_replace"), field(config, "triggers_replace"))
      ? []
      : [["triggers_replace"]];
    const changed = !same(field(prior, "input"), input);
    const planned = withFields(config, {
      id: field(prior, "id"),
      output: changed ? output : field(prior, "output"),
    });
    return { planned, replace, problems: [] };
  },
  create: (planned, { rand }) => ({
    state: withFields(planned, { id: v.str(rand.uuid()), output: field(planned, "input") }),
    problems: [],
  }),
  update: (planned) => ({ state: withFields(planned, { output: field(planned, "input") }), problems: [] }),
};

export const nullResource: ManagedType = {
  mode: "managed",
  type: "null_resource",
  provider: "registry.terraform.io/hashicorp/null",
  version: 0,
  schema: {
    attributes: {
      id: { type: t.string, computed: true },
      triggers: { type: t.map(t.string), optional: true },
    },
    blocks: {},
  },
  plan(config, prior) {
    if (!prior) {
      return { planned: withFields(config, { id: v.unknownOf(t.string) }), replace: [], problems: [] };
    }
    const replace: Path[] = same(field(prior, "triggers"), field(config, "triggers")) ? [] : [["triggers"]];
    return { planned: withFields(config, { id: field(prior, "id") }), replace, problems: [] };
  },
  create: (planned, { rand }) => ({
    // The real provider takes a random 63 bit number.
    state: withFields(planned, { id: v.str((rand.bytes(8).readBigUInt64BE() >> 1n).toString()) }),
    problems: [],
  }),
};

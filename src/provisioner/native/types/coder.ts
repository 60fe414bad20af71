/** The `coder` provider's types: its pure functions on this engine's values. */
import {
  createResource,
  dataTypes,
  planResource,
  providerAddress,
  readData,
  readResource,
  resourceTypes,
  validateData,
  validateResource,
} from "../../coderprovider/provider.ts";
import type { Diagnostic } from "../../coderprovider/types.ts";
import { fromBlockSchema, fromProvider, schemaType, toAttributes } from "../schema.ts";
import type { NativeType, TypeProblem } from "./native-type.ts";

const problems = (list: readonly Diagnostic[]): TypeProblem[] =>
  list.map(({ severity, summary, detail, path }) => ({ severity, summary, detail, path }));

function managed(type: string): NativeType {
  const def = resourceTypes[type];
  if (!def) throw new Error(`the coder provider has no resource ${type}`);
  const schema = fromBlockSchema(def.block);
  const shape = schemaType(schema);
  return {
    mode: "managed",
    type,
    provider: providerAddress,
    version: def.version,
    schema,
    private: Buffer.from(JSON.stringify({ schema_version: String(def.version) })).toString("base64"),
    validate: (config) => problems(validateResource(type, toAttributes(config))),
    plan(config, prior) {
      const made = planResource(type, {
        config: toAttributes(config),
        prior: prior ? toAttributes(prior) : null,
      });
      return {
        planned: fromProvider(made.planned, shape),
        replace: made.requiresReplace,
        problems: problems(made.diagnostics),
      };
    },
    create(planned, context) {
      const made = createResource(type, { planned: toAttributes(planned) }, context);
      return { state: fromProvider(made.state, shape), problems: problems(made.diagnostics) };
    },
    read: (state, context) => fromProvider(readResource(type, toAttributes(state), context), shape),
  };
}

function data(type: string): NativeType {
  const def = dataTypes[type];
  if (!def) throw new Error(`the coder provider has no data source ${type}`);
  const schema = fromBlockSchema(def.block);
  const shape = schemaType(schema);
  return {
    mode: "data",
    type,
    provider: providerAddress,
    version: def.version,
    schema,
    validate: (config) => problems(validateData(type, toAttributes(config))),
    read(config, context) {
      const made = readData(type, toAttributes(config), context);
      return { state: fromProvider(made.state, shape), problems: problems(made.diagnostics) };
    },
  };
}

export const coderTypes: readonly NativeType[] = [
  ...Object.keys(resourceTypes).map(managed),
  ...Object.keys(dataTypes).map(data),
];

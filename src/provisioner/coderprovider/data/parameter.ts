/** coder_parameter */
import { createHash } from "node:crypto";
import { formTypes, parameterTypes } from "#preview/form-type.ts";
import { checkValue } from "#preview/parameter-rules.ts";
import { error, isUrl, oneOf } from "../checks.ts";
import {
  blocksOf,
  computed,
  implicitId,
  listOf,
  optional,
  required,
  schema,
  stringOf,
  withNestedZeros,
} from "../define.ts";
import type { Attributes, DataDef, Diagnostic, Json } from "../types.ts";

const block = schema(
  {
    id: implicitId,
    name: required("string"),
    display_name: optional("string"),
    description: optional("string"),
    icon: optional("string", { check: isUrl }),
    order: optional("number"),
    type: optional("string", { default: "string", check: oneOf(...parameterTypes) }),
    form_type: optional("string", { computed: true, check: oneOf(...formTypes) }),
    styling: optional("string", { default: "{}" }),
    mutable: optional("bool", { default: false }),
    ephemeral: optional("bool", { default: false }),
    default: optional("string"),
    value: computed("string"),
    optional: computed("bool"),
  },
  {
    option: listOf({
      name: required("string"),
      value: required("string"),
      description: optional("string"),
      icon: optional("string", { check: isUrl }),
    }),
    validation: listOf(
      {
        min: optional("number"),
        max: optional("number"),
        min_disabled: computed("bool"),
        max_disabled: computed("bool"),
        monotonic: optional("string"),
        regex: optional("string", { conflicts: ["min", "max", "monotonic"] }),
        error: optional("string"),
      },
      { max: 1 },
    ),
  },
);

/** Names of the variables that carry a parameter's value and its value of the build before. */
export function parameterVariable(name: string): string {
  return `CODER_PARAMETER_${createHash("sha256").update(name).digest("hex")}`;
}

export function previousParameterVariable(name: string): string {
  return `CODER_PARAMETER_PREVIOUS_${createHash("sha256").update(name).digest("hex")}`;
}

function numberOf(value: Json | undefined): number | null {
  return typeof value === "number" ? value : null;
}

function kindProblems(config: Attributes): Diagnostic[] {
  if (config["ephemeral"] !== true) return [];
  if (config["mutable"] !== true) return [error("parameter can't be immutable and ephemeral")];
  return config["default"] === null ? [error("ephemeral parameter requires the default property")] : [];
}

export const parameter: DataDef = {
  version: 1,
  block,
  read(config, { env, rand }) {
    const name = stringOf(config["name"]);
    const options = blocksOf(config["option"]);
    const [validation] = blocksOf(config["validation"]);
    const fallback = config["default"];
    const checked = checkValue(
      {
        type: stringOf(config["type"]),
        formType: stringOf(config["form_type"]),
        options: options.map((option) => ({
          name: stringOf(option["name"]),
          value: stringOf(option["value"]),
        })),
        validation: validation
          ? {
              min: numberOf(validation["min"]),
              max: numberOf(validation["max"]),
              monotonic: stringOf(validation["monotonic"]),
              regex: stringOf(validation["regex"]),
              error: stringOf(validation["error"]),
            }
          : null,
        default: typeof fallback === "string" ? fallback : null,
      },
      { input: env[parameterVariable(name)] ?? null, previous: env[previousParameterVariable(name)] ?? null },
    );
    const kind = kindProblems(config);
    const problems: Diagnostic[] = checked.problems.map(({ summary, detail, at }) => ({
      severity: "error",
      summary,
      detail,
      ...(at === undefined ? {} : { path: [at] }),
    }));
    const state: Attributes = {
      ...config,
      id: rand.uuid(),
      value: checked.value,
      form_type: checked.formType,
      optional: config["default"] !== null,
      validation: blocksOf(config["validation"]).map((one) => ({
        ...one,
        min_disabled: one["min"] === null,
        max_disabled: one["max"] === null,
      })),
    };
    return {
      // Without options the list is null, as upstream's provider leaves what it never sets.
      state: { ...withNestedZeros(state, block), ...(options.length === 0 ? { option: null } : {}) },
      diagnostics: kind.length > 0 ? kind : problems,
    };
  },
};

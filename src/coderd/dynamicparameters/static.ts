/** A form of the stored parameters of a version, where its files cannot be rendered (spec provisioning §12.1). Pure. */
import type { Rendered } from "#preview/dynamic/render.ts";
import { type PreviewParameter, problem } from "#preview/dynamic/wire.ts";
import { checkValue, type ParameterValidation } from "#preview/parameter-rules.ts";
import type { TemplateVersionParameter } from "../database/gen/models.gen.ts";
import type { Values } from "./resolve.ts";

export function staticForm(parameters: readonly TemplateVersionParameter[], values: Values): Rendered {
  const warning = problem(
    "This template version does not have what a form needs that changes with its values.",
    "Import the template again as a new version to get it back.",
    "",
    "warning",
  );
  return {
    diagnostics: [warning],
    parameters: parameters.map((parameter) => toPreview(parameter, values)),
    workspace_tags: [],
    presets: [],
    variables: [],
    module_output: {},
  };
}

/** As the rules of values want it; null without any. */
export function validationOf(parameter: TemplateVersionParameter): ParameterValidation | null {
  const {
    validationMin: min,
    validationMax: max,
    validationMonotonic: monotonic,
    validationRegex: regex,
  } = parameter;
  if (min === null && max === null && monotonic === "" && regex === "") return null;
  return { min, max, monotonic, regex, error: parameter.validationError };
}

function toPreview(parameter: TemplateVersionParameter, values: Values): PreviewParameter {
  const { name, required } = parameter;
  const input = Object.hasOwn(values, name) ? (values[name] ?? null) : null;
  const fallback = required ? null : parameter.defaultValue;
  const validation = validationOf(parameter);
  const checked = checkValue(
    {
      type: parameter.type,
      formType: parameter.formType,
      options: parameter.options,
      default: fallback,
      validation,
    },
    { input, previous: null },
  );
  const missing = required && input === null;
  return {
    name,
    display_name: parameter.displayName,
    description: parameter.description,
    type: parameter.type,
    form_type: checked.formType,
    styling: {},
    mutable: parameter.mutable,
    default_value: { value: fallback ?? "", valid: fallback !== null },
    icon: parameter.icon,
    options: parameter.options.map(({ name: label, description, value, icon }) => ({
      name: label,
      description,
      value: { value, valid: true },
      icon,
    })),
    validations: validation
      ? [
          {
            validation_error: validation.error,
            validation_regex: validation.regex || null,
            validation_min: validation.min,
            validation_max: validation.max,
            validation_monotonic: validation.monotonic || null,
          },
        ]
      : [],
    required,
    order: parameter.displayOrder,
    ephemeral: parameter.ephemeral,
    value: { value: checked.value, valid: !missing },
    diagnostics: missing
      ? [problem("A required parameter has no value", "The parameter's value is null.", "required")]
      : checked.problems.map(({ summary, detail }) => problem(summary, detail)),
  };
}

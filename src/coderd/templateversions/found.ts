/** What an import found in a template, as the API shows it. */
import type {
  Preset as WirePreset,
  TemplateVersionParameter as WireParameter,
  TemplateVersionVariable as WireVariable,
} from "#codersdk/templateversions.ts";
import type {
  TemplateVersionParameter,
  TemplateVersionPreset,
  TemplateVersionPresetParameter,
  TemplateVersionVariable,
} from "../database/gen/models.gen.ts";
import { plaintext } from "./plaintext.ts";

export function toParameter(row: TemplateVersionParameter): WireParameter {
  const { validationMonotonic: monotonic } = row;
  return {
    name: row.name,
    display_name: row.displayName,
    description: row.description,
    description_plaintext: plaintext(row.description),
    type: parameterType(row.type),
    form_type: row.formType,
    mutable: row.mutable,
    default_value: row.defaultValue,
    icon: row.icon,
    options: row.options,
    validation_error: row.validationError,
    validation_regex: row.validationRegex,
    validation_min: row.validationMin ?? undefined,
    validation_max: row.validationMax ?? undefined,
    validation_monotonic: monotonic === "increasing" || monotonic === "decreasing" ? monotonic : undefined,
    required: row.required,
    ephemeral: row.ephemeral,
  };
}

function parameterType(type: string): WireParameter["type"] {
  switch (type) {
    case "number":
    case "bool":
    case "list(string)":
      return type;
    default:
      return "string";
  }
}

/** Values of sensitive variables are never shown. */
export function toVariable(row: TemplateVersionVariable): WireVariable {
  const { name, description, type, required, sensitive } = row;
  return {
    name,
    description,
    type: type === "number" || type === "bool" ? type : "string",
    value: sensitive ? "" : row.value,
    default_value: sensitive ? "" : row.defaultValue,
    required,
    sensitive,
  };
}

export function toPreset(
  row: TemplateVersionPreset,
  parameters: readonly TemplateVersionPresetParameter[],
): WirePreset {
  return {
    ID: row.id,
    Name: row.name,
    Parameters: parameters
      .filter(({ templateVersionPresetId }) => templateVersionPresetId === row.id)
      .map(({ name, value }) => ({ Name: name, Value: value })),
    Default: row.isDefault,
    DesiredPrebuildInstances: row.desiredInstances,
    Description: row.description,
    Icon: row.icon,
  };
}

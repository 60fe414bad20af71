/** coder_parameter, coder_workspace_preset: what a person chooses when they create a workspace. */
import { create } from "@bufbuild/protobuf";
import {
  ExpirationPolicySchema,
  ParameterFormType,
  PrebuildSchema,
  PresetParameterSchema,
  PresetSchema,
  RichParameterOptionSchema,
  RichParameterSchema,
  ScheduleSchema,
  SchedulingSchema,
  type Prebuild,
  type Preset,
  type RichParameter,
} from "#rpc/gen/provisionersdk_pb.js";
import { byteOrder, type Collected } from "./collect.ts";
import { ConvertError, quotedList, reader, type Reader } from "./decode.ts";
import type { ResourceJson } from "./json.ts";

const formTypes = new Map([
  ["", ParameterFormType.DEFAULT],
  ["error", ParameterFormType.FORM_ERROR],
  ["radio", ParameterFormType.RADIO],
  ["dropdown", ParameterFormType.DROPDOWN],
  ["input", ParameterFormType.INPUT],
  ["textarea", ParameterFormType.TEXTAREA],
  ["slider", ParameterFormType.SLIDER],
  ["checkbox", ParameterFormType.CHECKBOX],
  ["switch", ParameterFormType.SWITCH],
  ["tag-select", ParameterFormType.TAGSELECT],
  ["multi-select", ParameterFormType.MULTISELECT],
]);

/** Bounds as set. States older than the `…_disabled` flags have two zeros where nothing was set. */
function bounds(validation: Reader): { min?: number; max?: number } {
  const min = validation.int("min");
  const max = validation.int("max");
  if (!validation.has("min_disabled") && !validation.has("max_disabled") && min === 0 && max === 0) return {};
  return {
    ...(validation.bool("min_disabled") ? {} : { min }),
    ...(validation.bool("max_disabled") ? {} : { max }),
  };
}

function convertParameter(resource: ResourceJson): RichParameter {
  const prefix = `decode map values for coder_parameter.${resource.name}`;
  const attributes = reader(prefix, resource.values);
  const formType = formTypes.get(attributes.string("form_type"));
  if (formType === undefined) {
    const given = JSON.stringify(attributes.string("form_type"));
    throw new ConvertError(
      `decode form_type for coder_parameter.${resource.name}: unsupported form type: ${given}`,
    );
  }
  const parameter = create(RichParameterSchema, {
    name: attributes.string("name"),
    displayName: attributes.string("display_name"),
    description: attributes.string("description"),
    type: attributes.string("type"),
    formType,
    mutable: attributes.bool("mutable"),
    ephemeral: attributes.bool("ephemeral"),
    defaultValue: attributes.string("default"),
    required: !attributes.bool("optional"),
    icon: attributes.string("icon"),
    order: attributes.int("order"),
    options: attributes.blocks("option").map((option) =>
      create(RichParameterOptionSchema, {
        name: option.string("name"),
        description: option.string("description"),
        value: option.string("value"),
        icon: option.string("icon"),
      }),
    ),
  });
  const validations = attributes.blocks("validation");
  const [validation] = validations;
  if (validation && validations.length === 1) {
    const { min, max } = bounds(validation);
    parameter.validationRegex = validation.string("regex");
    parameter.validationError = validation.string("error");
    parameter.validationMonotonic = validation.string("monotonic");
    if (min !== undefined) parameter.validationMin = min;
    if (max !== undefined) parameter.validationMax = max;
  }
  return parameter;
}

function dataInOrder(collected: Collected, type: string): ResourceJson[] {
  return collected.inOrder.filter((resource) => resource.mode === "data" && resource.type === type);
}

/** Each name that occurs again, once, in order of its first repetition. */
function repeated(names: readonly string[]): string[] {
  const seen = new Set<string>();
  const out = new Set<string>();
  for (const name of names) {
    if (seen.has(name)) out.add(name);
    seen.add(name);
  }
  return [...out];
}

export function convertParameters(collected: Collected): RichParameter[] {
  const parameters = dataInOrder(collected, "coder_parameter").map(convertParameter);
  const twice = repeated(parameters.map(({ name }) => name));
  if (twice.length > 0) {
    const verb = twice.length === 1 ? "appears" : "appear";
    throw new ConvertError(
      `coder_parameter names must be unique but ${quotedList(twice)} ${verb} multiple times`,
    );
  }
  return parameters;
}

function convertPrebuild(block: Reader | undefined): Prebuild {
  const out = create(PrebuildSchema, { instances: block?.int("instances") ?? 0 });
  const policy = block?.blocks("expiration_policy")[0];
  if (policy) out.expirationPolicy = create(ExpirationPolicySchema, { ttl: policy.int("ttl") });
  const scheduling = block?.blocks("scheduling")[0];
  if (scheduling) {
    out.scheduling = create(SchedulingSchema, {
      timezone: scheduling.string("timezone"),
      schedule: scheduling
        .blocks("schedule")
        .map((schedule) =>
          create(ScheduleSchema, { cron: schedule.string("cron"), instances: schedule.int("instances") }),
        ),
    });
  }
  return out;
}

function convertPreset(resource: ResourceJson): Preset {
  const attributes = reader("decode preset attributes", resource.values);
  return create(PresetSchema, {
    name: attributes.string("name"),
    description: attributes.string("description"),
    icon: attributes.string("icon"),
    default: attributes.bool("default"),
    parameters: Object.entries(attributes.strings("parameters"))
      .sort(([one], [other]) => byteOrder(one, other))
      .map(([name, value]) => create(PresetParameterSchema, { name, value })),
    prebuild: convertPrebuild(attributes.blocks("prebuilds")[0]),
  });
}

export interface ConvertedPresets {
  readonly presets: Preset[];
  /** Lines for the job's log: a template that has them is accepted all the same. */
  readonly warnings: string[];
}

export function convertPresets(collected: Collected, parameters: readonly RichParameter[]): ConvertedPresets {
  const presets = dataInOrder(collected, "coder_workspace_preset").map(convertPreset);
  const defaults = presets.filter((preset) => preset.default).length;
  if (defaults > 1) {
    throw new ConvertError(
      `a maximum of 1 coder_workspace_preset can be marked as default, but ${defaults} are set`,
    );
  }
  const warnings: string[] = [];
  const twice = repeated(presets.map(({ name }) => name));
  if (twice.length > 0) {
    const verb = twice.length === 1 ? "appears" : "appear";
    warnings.push(
      `coder_workspace_preset names should be unique but ${quotedList(twice)} ${verb} multiple times`,
    );
  }
  const known = new Set(parameters.map(({ name }) => name));
  for (const preset of presets) {
    const unknown = preset.parameters.map(({ name }) => name).filter((name) => !known.has(name));
    if (unknown.length > 0) {
      warnings.push(
        `preset ${JSON.stringify(preset.name)} sets parameters that the template does not have: ${quotedList(unknown)}`,
      );
    }
  }
  return { presets, warnings };
}

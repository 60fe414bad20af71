/**
 * Values of a build's parameters (spec provisioning §13): preset before request before the last build before the
 * default. Immutable ones keep their first value, ephemeral ones are forgotten after each build. Pure.
 */
import { checkValue } from "#preview/parameter-rules.ts";
import type { ValidationError } from "#codersdk/response.ts";
import { validationOf } from "../dynamicparameters/static.ts";
import type { TemplateVersionParameter } from "../database/gen/models.gen.ts";
import { Invalid } from "../errors.ts";

export interface NamedValue {
  readonly name: string;
  readonly value: string;
}

export interface ParameterSources {
  readonly parameters: readonly TemplateVersionParameter[];
  readonly request: readonly NamedValue[];
  readonly preset: readonly NamedValue[];
  readonly last: readonly NamedValue[];
  readonly firstBuild: boolean;
  /** Says the first problem alone, as old clients expect. */
  readonly classic: boolean;
}

/** Every parameter of the version with its value, defaults too; names that the version does not have are dropped. */
export function resolveParameters(sources: ParameterSources): NamedValue[] {
  const { parameters, request, preset, last } = sources;
  const given = new Map([...request, ...preset].map(({ name, value }) => [name, value]));
  const before = new Map(last.map(({ name, value }) => [name, value]));
  const problems: ValidationError[] = [];
  const values: NamedValue[] = [];
  for (const parameter of parameters) {
    const { name } = parameter;
    const previous = before.get(name);
    const result = resolveOne(parameter, given.get(name), previous, sources.firstBuild);
    if ("problem" in result) problems.push({ field: name, detail: result.problem });
    else values.push({ name, value: result.value });
  }
  const [first] = problems;
  if (!first) return values;
  if (sources.classic) {
    throw new Invalid(`Unable to validate parameter "${first.field}"`, { detail: first.detail });
  }
  throw new Invalid("Unable to validate parameters", { validations: problems });
}

function resolveOne(
  parameter: TemplateVersionParameter,
  given: string | undefined,
  previous: string | undefined,
  firstBuild: boolean,
): { value: string } | { problem: string } {
  const { name } = parameter;
  if (
    !parameter.mutable &&
    !firstBuild &&
    given !== undefined &&
    previous !== undefined &&
    given !== previous
  ) {
    return {
      problem: `Parameter "${name}" is not mutable, so it can't be updated after creating a workspace.`,
    };
  }
  const kept = parameter.ephemeral ? undefined : previous;
  const input = given ?? kept;
  if (input === undefined && parameter.required) {
    return { problem: `Parameter "${name}" is required but not provided` };
  }
  const checked = checkValue(
    {
      type: parameter.type,
      formType: parameter.formType,
      options: parameter.options,
      default: parameter.required ? null : parameter.defaultValue,
      validation: validationOf(parameter),
    },
    { input: input ?? null, previous: previous ?? null },
  );
  const [problem] = checked.problems;
  return problem ? { problem: `${problem.summary}; ${problem.detail}` } : { value: checked.value };
}

/**
 * What makes a parameter's value valid. Used for dynamic parameters and by the Terraform provider (coder_parameter),
 * so that both say the same. Pure; the order of the checks matters, and the first one that fails ends them.
 */
import { RE2JS } from "re2js";
import { chooseFormType } from "./form-type.ts";
import { isGoBool, isGoFloat, parseGoInt, parseStringList } from "./go-values.ts";

export interface ParameterValidation {
  readonly min: number | null;
  readonly max: number | null;
  /** "" where not given, as in the next ones. */
  readonly monotonic: string;
  readonly regex: string;
  readonly error: string;
}

export interface ParameterFacts {
  readonly type: string;
  /** "" where not given. */
  readonly formType: string;
  readonly options: readonly { readonly name: string; readonly value: string }[];
  readonly validation: ParameterValidation | null;
  readonly default: string | null;
}

export interface ParameterProblem {
  readonly summary: string;
  readonly detail: string;
  /** Attribute at fault; absent means the whole parameter. */
  readonly at?: "form_type" | "default";
}

export interface CheckedValue {
  /** Input, else default, else "". */
  readonly value: string;
  readonly formType: string;
  /** Empty means valid. */
  readonly problems: readonly ParameterProblem[];
}

export interface ParameterInput {
  readonly input: string | null;
  /** Value of the previous build, for `monotonic`. */
  readonly previous: string | null;
}

export function checkValue(parameter: ParameterFacts, { input, previous }: ParameterInput): CheckedValue {
  const fromDefault = input === null && parameter.default !== null;
  const given = input ?? parameter.default;
  const value = given ?? "";
  const choice = chooseFormType({ ...parameter, hasOptions: parameter.options.length > 0 });
  const { formType } = choice;
  if (choice.problem !== undefined) {
    const summary = "The form control does not fit the parameter";
    return { value, formType, problems: [{ summary, detail: choice.problem, at: "form_type" }] };
  }
  const ofOptions = optionProblems(parameter, formType);
  if (ofOptions.length > 0) return { value, formType, problems: ofOptions };
  if (given === null && parameter.validation === null) return { value, formType, problems: [] };
  const problem =
    membershipProblem(parameter, formType, value, fromDefault) ??
    validationProblem(parameter, value, previous, fromDefault) ??
    typeProblem(parameter.type, value);
  if (!problem) return { value, formType, problems: [] };
  return { value, formType, problems: [fromDefault ? { ...problem, at: "default" } : problem] };
}

/** A repeated entry, or undefined. */
function repeated(values: readonly string[]): string | undefined {
  return values.find((value, i) => values.indexOf(value) !== i);
}

function optionProblems({ type, options }: ParameterFacts, formType: string): ParameterProblem[] {
  const name = repeated(options.map((option) => option.name));
  if (name !== undefined) {
    return [
      { summary: "Option names must differ", detail: `several options are named ${JSON.stringify(name)}` },
    ];
  }
  const value = repeated(options.map((option) => option.value));
  if (value !== undefined) {
    return [
      {
        summary: "Option values must differ",
        detail: `several options have the value ${JSON.stringify(value)}`,
      },
    ];
  }
  // Each option of a multi-select is one element of the list, not a list.
  const optionType = formType === "multi-select" ? "string" : type;
  return options.flatMap((option) => {
    const problem = typeDetail(optionType, option.value);
    if (problem === undefined) return [];
    const what = `Option ${JSON.stringify(option.name)} has a value of another type than ${JSON.stringify(optionType)}`;
    return [{ summary: what, detail: problem }];
  });
}

function membershipProblem(
  { options }: ParameterFacts,
  formType: string,
  value: string,
  fromDefault: boolean,
): ParameterProblem | undefined {
  if (options.length === 0) return undefined;
  const allowed = new Set(options.map((option) => option.value));
  const what = fromDefault ? "default value" : "value";
  if (formType === "multi-select") {
    const chosen = parseStringList(value);
    if (!chosen) {
      return {
        summary: `The ${what} must be a list of options as JSON`,
        detail: `value ${JSON.stringify(value)} is not a valid list of strings`,
      };
    }
    const missing = chosen.filter((item) => !allowed.has(item));
    if (missing.length === 0) return undefined;
    return {
      summary: `Each element of the ${what} must be one of the options`,
      detail: `not among the options: ${missing.join(", ")}`,
    };
  }
  if (allowed.has(value)) return undefined;
  const empty = value === "" ? " It is empty: give the parameter a default, or a value." : "";
  return {
    summary: `The ${what} must be one of the options.${empty}`,
    detail: `the value ${JSON.stringify(value)} is not among the options`,
  };
}

function validationProblem(
  { type, validation }: ParameterFacts,
  value: string,
  previous: string | null,
  fromDefault: boolean,
): ParameterProblem | undefined {
  if (!validation) return undefined;
  const detail = misplacedRule(type, validation) ?? ruleDetail(type, validation, value, previous);
  if (detail === undefined) return undefined;
  return {
    summary: `The ${fromDefault ? "default value" : "value"} breaks the rules of the 'validation' block`,
    detail,
  };
}

/** A rule that the type does not have. */
function misplacedRule(
  type: string,
  { min, max, monotonic, regex }: ParameterValidation,
): string | undefined {
  if (type !== "number") {
    if (min !== null) return `a min cannot be specified for a ${type} type`;
    if (max !== null) return `a max cannot be specified for a ${type} type`;
    if (monotonic !== "") return `monotonic is for parameters of type number, not ${type}`;
  }
  if (type !== "string" && regex !== "") return `a regex cannot be specified for a ${type} type`;
  return undefined;
}

function ruleDetail(
  type: string,
  validation: ParameterValidation,
  value: string,
  previous: string | null,
): string | undefined {
  switch (type) {
    case "bool":
      return value === "true" || value === "false" ? undefined : `a bool is "true" or "false"`;
    case "string":
      return regexDetail(validation, value);
    case "number":
      return numberDetail(validation, value, previous);
    case "list(string)":
      return parseStringList(value)
        ? undefined
        : `value ${JSON.stringify(value)} is not a valid list of strings`;
    default:
      return undefined;
  }
}

function regexDetail({ regex, error }: ParameterValidation, value: string): string | undefined {
  if (regex === "") return undefined;
  let pattern: RE2JS;
  try {
    pattern = RE2JS.compile(regex);
  } catch (cause) {
    return `the regex cannot be compiled: ${cause instanceof Error ? cause.message : String(cause)}`;
  }
  if (error === "") return "an error must be specified with a regex validation";
  if (pattern.matcher(value).find()) return undefined;
  return `${error} (value ${JSON.stringify(value)} does not match ${JSON.stringify(regex)})`;
}

function numberDetail(
  validation: ParameterValidation,
  value: string,
  previous: string | null,
): string | undefined {
  const { min, max, monotonic, error } = validation;
  const own =
    error === ""
      ? undefined
      : error
          .replaceAll("{min}", () => String(min ?? 0))
          .replaceAll("{max}", () => String(max ?? 0))
          .replaceAll("{value}", () => value);
  const number = parseGoInt(value);
  if (number === undefined) return own ?? `value ${JSON.stringify(value)} is not a number`;
  if (min !== null && number < min) return own ?? `value ${value} is less than the minimum ${min}`;
  if (max !== null && number > max) return own ?? `value ${value} is more than the maximum ${max}`;
  if (monotonic === "") return undefined;
  if (monotonic !== "increasing" && monotonic !== "decreasing") {
    return `monotonic is "increasing" or "decreasing", not ${JSON.stringify(monotonic)}`;
  }
  const before = previous === null ? undefined : parseGoInt(previous);
  if (before === undefined) return undefined;
  if (monotonic === "increasing" && number < before) {
    return `parameter value '${value}' must be equal or greater than previous value: ${previous}`;
  }
  if (monotonic === "decreasing" && number > before) {
    return `parameter value '${value}' must be equal or lower than previous value: ${previous}`;
  }
  return undefined;
}

function typeDetail(type: string, value: string): string | undefined {
  switch (type) {
    case "number":
      return isGoFloat(value) ? undefined : `${JSON.stringify(value)} is not a number`;
    case "bool":
      return isGoBool(value) ? undefined : `${JSON.stringify(value)} is not a bool`;
    case "list(string)":
      return parseStringList(value)
        ? undefined
        : `value ${JSON.stringify(value)} is not a valid list of strings`;
    default:
      return undefined;
  }
}

function typeProblem(type: string, value: string): ParameterProblem | undefined {
  const detail = typeDetail(type, value);
  return detail === undefined
    ? undefined
    : { summary: `The value is not of the parameter's type ${JSON.stringify(type)}`, detail };
}

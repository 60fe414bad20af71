/** A `coder_parameter` block → what a form shows, with everything that is wrong with it (provisioning.md §12.4). */
import { formTypes, parameterTypes } from "../form-type.ts";
import { checkValue, type ParameterFacts } from "../parameter-rules.ts";
import { chooseFormType } from "../form-type.ts";
import { typeName } from "../cty/type.ts";
import type { ResourceInstance } from "../module/evaluator.ts";
import { type Reader, type TextState, mentioned, reader } from "./lenient.ts";
import {
  type HclString,
  type PreviewDiagnostic,
  type PreviewOption,
  type PreviewParameter,
  type PreviewValidation,
  problem,
  type Styling,
} from "./wire.ts";

export type ParameterResult =
  | { readonly parameter: PreviewParameter; readonly instance: ResourceInstance }
  | { readonly diagnostics: readonly PreviewDiagnostic[] };

const blockName = ({ resource }: ResourceInstance): string => `${resource.type}.${resource.name}`;

/** A name that is a known text; else what is wrong with it. */
export function readName(
  instance: ResourceInstance,
  read: Reader,
): { readonly name: string } | PreviewDiagnostic {
  const state = read.state("name");
  const block = blockName(instance);
  if (state.kind === "absent") {
    return problem(`The block ${JSON.stringify(block)} has no "name"`, "The name attribute is required.");
  }
  const summary = `The "name" of the block ${block} cannot be used`;
  if (state.kind === "text" && state.type.kind === "string") return { name: state.text };
  if (state.kind === "unresolved" || state.kind === "unknown") {
    const names = mentioned(read.body.attributes.get("name")?.value);
    return problem(summary, `Its value is not known; check that these can be resolved: [${names}].`);
  }
  const got = "type" in state ? typeName(state.type) : "null";
  return problem(summary, `A text is required, not ${JSON.stringify(got)}.`);
}

/** `input` is what the person chose, undefined for nothing. */
export function readParameter(
  instance: ResourceInstance,
  inputs: Readonly<Record<string, string>>,
): ParameterResult {
  const read = reader(instance.resource.block.body, instance.scope);
  const named = readName(instance, read);
  if (!("name" in named)) return { diagnostics: [named] };
  const { name } = named;
  const type = read.text("type") || "string";
  const wanted = read.text("form_type");
  if (!parameterTypes.includes(type)) {
    return wrongType(instance, `the type ${JSON.stringify(type)} is none of [${parameterTypes.join(", ")}]`);
  }
  if (wanted !== "" && !formTypes.includes(wanted)) {
    return wrongType(
      instance,
      `the form type ${JSON.stringify(wanted)} is none of [${formTypes.join(", ")}]`,
    );
  }
  const diagnostics: PreviewDiagnostic[] = [];
  const options = readOptions(read, diagnostics);
  const validations = read.blocks("validation").map(readValidation);
  const choice = chooseFormType({ type, formType: wanted, hasOptions: options.length > 0 });
  if (choice.problem !== undefined) {
    diagnostics.push(
      problem(
        `The type ${JSON.stringify(type)} does not go with the form type ${JSON.stringify(wanted)}`,
        choice.problem,
      ),
    );
  }
  const fallback = read.state("default");
  const input = Object.hasOwn(inputs, name) ? inputs[name] : undefined;
  const value: TextState =
    input === undefined ? fallback : { kind: "text", text: input, type: { kind: "string" } };
  const required = fallback.kind === "absent";
  if (diagnostics.length === 0) {
    diagnostics.push(...valueProblems({ type, wanted, options, validations, fallback, value, input }));
  }
  if (required && value.kind === "absent") {
    diagnostics.push(
      problem("A required parameter has no value", "The parameter's value is null.", "required"),
    );
  }
  diagnostics.push(...usageProblems(value, options));
  return {
    instance,
    parameter: {
      name,
      display_name: read.text("display_name"),
      description: read.text("description"),
      type,
      form_type: choice.problem === undefined ? choice.formType : "error",
      styling: readStyling(read.text("styling")),
      mutable: read.flag("mutable"),
      default_value: hclString(fallback, ""),
      icon: read.text("icon"),
      options,
      validations,
      required,
      order: Math.trunc(read.number("order") ?? 0),
      ephemeral: read.flag("ephemeral"),
      value: hclString(value, reference(instance)),
      diagnostics,
    },
  };
}

function wrongType(instance: ResourceInstance, detail: string): ParameterResult {
  return { diagnostics: [problem(`The "type" of the block ${blockName(instance)} cannot be used`, detail)] };
}

const hclString = (state: TextState, otherwise: string): HclString =>
  state.kind === "text" ? { value: state.text, valid: true } : { value: otherwise, valid: false };

function reference({ resource, at }: ResourceInstance): string {
  const index =
    at.key === undefined || at.unknownKey
      ? ""
      : `.[${typeof at.key === "number" ? at.key : JSON.stringify(at.key)}]`;
  return `${resource.key}${index}.value`;
}

function readOptions(read: Reader, diagnostics: PreviewDiagnostic[]): PreviewOption[] {
  return read.blocks("option").flatMap((option): PreviewOption[] => {
    for (const name of ["name", "value"]) {
      if (option.has(name)) continue;
      diagnostics.push(
        problem(
          `An option has no ${JSON.stringify(name)}`,
          `The ${name} attribute of an option is required.`,
        ),
      );
      return [];
    }
    return [
      {
        name: option.text("name"),
        description: option.text("description"),
        value: hclString(option.state("value"), ""),
        icon: option.text("icon"),
      },
    ];
  });
}

function readValidation(read: Reader): PreviewValidation {
  const given = (name: string): string | null => {
    const state = read.state(name);
    return state.kind === "text" ? state.text : null;
  };
  return {
    validation_error: read.text("error"),
    validation_regex: given("regex"),
    validation_min: read.number("min"),
    validation_max: read.number("max"),
    validation_monotonic: given("monotonic"),
  };
}

interface ValueFacts {
  readonly type: string;
  readonly wanted: string;
  readonly options: readonly PreviewOption[];
  readonly validations: readonly PreviewValidation[];
  readonly fallback: TextState;
  readonly value: TextState;
  readonly input: string | undefined;
}

/** The provider's own rules, on a value that is known. */
function valueProblems(facts: ValueFacts): PreviewDiagnostic[] {
  if (facts.value.kind !== "text" && facts.value.kind !== "absent") return [];
  if (facts.options.some(({ value }) => !value.valid)) return [];
  if (facts.validations.length > 1) {
    return [problem('There are several "validation" blocks', "Only one validation block is allowed.")];
  }
  const [validation] = facts.validations;
  const parameter: ParameterFacts = {
    type: facts.type,
    formType: facts.wanted,
    options: facts.options.map(({ name, value }) => ({ name, value: value.value })),
    validation: validation
      ? {
          min: validation.validation_min,
          max: validation.validation_max,
          monotonic: validation.validation_monotonic ?? "",
          regex: validation.validation_regex ?? "",
          error: validation.validation_error,
        }
      : null,
    default: facts.fallback.kind === "text" ? facts.fallback.text : null,
  };
  return checkValue(parameter, { input: facts.input ?? null, previous: null }).problems.map(
    ({ summary, detail }) => problem(summary, detail),
  );
}

function usageProblems(value: TextState, options: readonly PreviewOption[]): PreviewDiagnostic[] {
  const out: PreviewDiagnostic[] = [];
  const detail = "A parameter needs a value, from its default or from the person, to be of use.";
  if (value.kind === "other") out.push(problem("The parameter's value cannot be used", detail));
  if (value.kind === "unknown") {
    out.push(
      problem("The parameter's value is not known: it probably refers to something without a value", detail),
    );
  }
  const unusable = options.filter((option) => !option.value.valid).length;
  if (unusable > 0) {
    out.push(
      problem(
        `The parameter has ${unusable} options that cannot be used`,
        "Their values cannot be resolved.",
      ),
    );
  }
  return out;
}

function readStyling(text: string): Styling {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text === "" ? "{}" : text);
  } catch {
    return {};
  }
  const { placeholder, disabled, label, mask_input }: Record<string, unknown> = Object(parsed);
  return {
    ...(typeof placeholder === "string" ? { placeholder } : {}),
    ...(typeof disabled === "boolean" ? { disabled } : {}),
    ...(typeof label === "string" ? { label } : {}),
    ...(typeof mask_input === "boolean" ? { mask_input } : {}),
  };
}

/**
 * Values of a build's parameters where the template's form decides (spec provisioning §13): the previous build's, then
 * the request's, then the preset's; the form is rendered with them, and every value must be one that it allows. Pure:
 * `render` is the form.
 */
import type { Rendered } from "#preview/dynamic/render.ts";
import type { PreviewDiagnostic, PreviewParameter } from "#preview/dynamic/wire.ts";
import type { ValidationError } from "#codersdk/response.ts";
import { Invalid } from "../errors.ts";

export interface NamedValue {
  readonly name: string;
  readonly value: string;
}

export type Values = Readonly<Record<string, string>>;

export interface DynamicSources {
  readonly render: (values: Values) => Rendered;
  readonly firstBuild: boolean;
  readonly previous: readonly NamedValue[];
  readonly request: readonly NamedValue[];
  readonly preset: readonly NamedValue[];
}

export interface Resolved {
  readonly values: readonly NamedValue[];
  /** The form with these values. */
  readonly form: Rendered;
}

const record = (...lists: readonly (readonly NamedValue[])[]): Values =>
  Object.fromEntries(lists.flat().map(({ name, value }) => [name, value]));

export function resolveDynamic(sources: DynamicSources): Resolved {
  const previous = record(sources.previous);
  const chosen = record(sources.request, sources.preset);
  const kept = forgetEphemeral(sources, previous, chosen);
  const given = { ...kept, ...chosen };
  const form = sources.render(given);
  mustRender(form);
  const problems: ValidationError[] = [];
  const values: NamedValue[] = [];
  for (const parameter of form.parameters) {
    const { name } = parameter;
    const before = sources.firstBuild ? undefined : own(previous, name);
    for (const detail of problemsOf(parameter, before)) problems.push({ field: name, detail });
    const value = own(given, name) ?? (parameter.value.valid ? parameter.value.value : undefined);
    if (value !== undefined && !values.some((other) => other.name === name)) values.push({ name, value });
  }
  if (problems.length > 0) {
    throw new Invalid("Unable to validate parameters", {
      validations: problems.toSorted((a, b) => (a.field < b.field ? -1 : a.field > b.field ? 1 : 0)),
    });
  }
  return { values, form };
}

const own = (values: Values, name: string): string | undefined =>
  Object.hasOwn(values, name) ? values[name] : undefined;

/** An ephemeral value is of one build only: the next one starts from the default again. */
function forgetEphemeral({ render }: DynamicSources, previous: Values, chosen: Values): Values {
  if (Object.keys(previous).length === 0) return previous;
  const before = render(previous);
  mustRender(before);
  const gone = new Set(
    before.parameters
      .filter(({ name, ephemeral }) => ephemeral && own(chosen, name) === undefined)
      .map(({ name }) => name),
  );
  return Object.fromEntries(Object.entries(previous).filter(([name]) => !gone.has(name)));
}

function mustRender({ diagnostics }: Rendered): void {
  const errors = diagnostics.filter(({ severity }) => severity === "error");
  const [first] = errors;
  if (!first) return;
  const more = errors.length > 1 ? `, and ${errors.length - 1} other diagnostic(s)` : "";
  throw new Invalid("Unable to validate parameters", { detail: `${text(first)}${more}` });
}

const text = ({ summary, detail }: PreviewDiagnostic): string => `${summary}; ${detail}`;

function problemsOf(parameter: PreviewParameter, before: string | undefined): string[] {
  const { name, mutable, value } = parameter;
  const out: string[] = [];
  if (before !== undefined && !mutable && value.value !== before) {
    out.push(
      text({
        severity: "error",
        summary: "Immutable parameter changed",
        detail: `Parameter ${JSON.stringify(name)} keeps its value ${JSON.stringify(before)} once the workspace exists.`,
        extra: { code: "" },
      }),
    );
  }
  const moved = before === undefined ? undefined : monotonicProblem(parameter, before);
  if (moved) out.push(moved);
  out.push(...parameter.diagnostics.filter(({ severity }) => severity === "error").map(text));
  return out;
}

const whole = (value: string): number | undefined =>
  /^[+-]?\d{1,15}$/.test(value) ? Number(value) : undefined;

function monotonicProblem(
  { name, value, validations }: PreviewParameter,
  before: string,
): string | undefined {
  const [now, then] = [whole(value.value), whole(before)];
  if (now === undefined || then === undefined) return undefined;
  for (const { validation_monotonic: order } of validations) {
    const wrong = (order === "increasing" && now < then) || (order === "decreasing" && now > then);
    if (!wrong) continue;
    const than = order === "increasing" ? "greater" : "lower";
    return `Parameter ${JSON.stringify(name)} monotonicity; parameter value '${now}' must be equal or ${than} than previous value: ${then}`;
  }
  return undefined;
}

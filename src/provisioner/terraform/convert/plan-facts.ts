/** What a plan says before it is applied: cost, tasks, and which resources would be made anew, and why. */
import { byteOrder, collect } from "./collect.ts";
import { reader } from "./decode.ts";
import { isRecord, readPlan, type ResourceChangeJson } from "./json.ts";
import { goJson } from "../../go-json.ts";

export interface PlanFacts {
  /** Sum of coder_metadata.daily_cost. */
  readonly dailyCost: number;
  readonly aiTaskCount: number;
  /** Paths are sorted. */
  readonly resourceReplacements: { readonly resource: string; readonly paths: string[] }[];
  /** Warnings for the job's log. A prebuild's claim logs Terraform's own text instead, where `replaces` says so. */
  readonly replacementLogs: readonly string[];
  /** Whether a resource of other providers is deleted and made anew. */
  readonly replaces: boolean;
}

type Path = ResourceChangeJson["replacePaths"][number];

/** Whether marks (true at any level means all below) cover a path or anything below it. */
function marked(marks: unknown, path: Path): boolean {
  let at = marks;
  for (const step of path) {
    if (at === true) return true;
    at = child(at, step);
  }
  return anyTrue(at);
}

function child(value: unknown, step: string | number): unknown {
  if (Array.isArray(value) && typeof step === "number") return value[step];
  return isRecord(value) && Object.hasOwn(value, String(step)) ? value[String(step)] : undefined;
}

function anyTrue(marks: unknown): boolean {
  if (marks === true) return true;
  if (Array.isArray(marks)) return marks.some(anyTrue);
  return isRecord(marks) && Object.values(marks).some(anyTrue);
}

/** Undefined where the path does not exist; a null is a value. */
function valueAt(value: unknown, path: Path): unknown {
  let at = value;
  for (const step of path) at = child(at, step);
  return at;
}

const unavailable = "(unavailable)";

function side(value: unknown, path: Path, sensitive: unknown, unknown: unknown): string {
  if (marked(sensitive, path)) return "(sensitive value)";
  if (marked(unknown, path)) return "(known after apply)";
  const found = valueAt(value, path);
  return found === undefined ? unavailable : goJson(found);
}

function reasons(change: ResourceChangeJson): string[] {
  const paths = change.replacePaths
    .map((path) => ({ path, text: path.join(".") }))
    .sort((one, other) => byteOrder(one.text, other.text));
  if (paths.length === 0) return ["      ~ replacement reason unavailable"];
  return paths.map(({ path, text }) => {
    const before = side(change.before, path, change.beforeSensitive, false);
    const after = side(change.after, path, change.afterSensitive, change.afterUnknown);
    const difference = before === unavailable && after === unavailable ? "" : `: ${before} -> ${after}`;
    return `      ~ ${text}${difference} (forces replacement)`;
  });
}

function isReplaced({ actions }: ResourceChangeJson): boolean {
  return actions.includes("delete") && actions.includes("create");
}

/** `plan` is `terraform show -json PLAN`, parsed; checked here. Throws an Error where it has another shape. */
export function planFacts(plan: unknown): PlanFacts {
  const { plannedValues, resourceChanges } = readPlan(plan);
  const planned = collect([plannedValues]);
  const costs = planned
    .managed("coder_metadata")
    .map(({ values }) => reader("decode metadata attributes", values).int("daily_cost"));
  const foreign = resourceChanges
    .filter(({ type }) => !type.startsWith("coder_"))
    .sort((one, other) => byteOrder(one.address, other.address));
  const replaced = foreign.filter(isReplaced);
  const lines = replaced.flatMap((change) => [`  -/+ ${change.address} (replace)`, ...reasons(change)]);
  return {
    dailyCost: costs.reduce((sum, cost) => sum + cost, 0),
    aiTaskCount: planned.managed("coder_ai_task").length,
    resourceReplacements: foreign
      .filter(({ actions, replacePaths }) => replacePaths.length > 0 && !actions.includes("no-op"))
      .map(({ address, replacePaths }) => ({
        resource: address,
        paths: replacePaths.map((path) => path.join(".")).sort(byteOrder),
      })),
    replacementLogs: lines.length > 0 ? ["Resource replacements:", ...lines] : [],
    replaces: replaced.length > 0,
  };
}

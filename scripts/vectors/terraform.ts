/**
 * `npm run vectors -- terraform DIR…`: recorded Terraform runs (a folder a case, with expected.json) against the
 * conversion, the log mapping and the timings. A folder of such folders is taken as all of them. Errors are compared
 * by presence. Cases with `stock_limit` are not counted where ours differs.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { create, toJson, type JsonValue } from "@bufbuild/protobuf";
import {
  GraphCompleteSchema,
  ParseCompleteSchema,
  TimingSchema,
  LogLevel,
  TimingState,
} from "#rpc/gen/provisionersdk_pb.js";
import { seededRand } from "#cryptorand/seeded.ts";
import { parseTemplate } from "#provisioner/parse.ts";
import { convertPlan, convertState, type Converted } from "#provisioner/terraform/convert/convert.ts";
import { planFacts } from "#provisioner/terraform/convert/plan-facts.ts";
import {
  parseJsonLine,
  stderrLines,
  stdoutLines,
  type LogLine,
} from "#provisioner/terraform/logs/log-lines.ts";
import { TimingCollector, type Stage } from "#provisioner/terraform/logs/timings.ts";
import type { VectorResult } from "../vectors.ts";

type Json = Record<string, unknown>;

function isJson(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function object(value: unknown): Json {
  return isJson(value) ? value : {};
}

function list(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}

interface Check {
  readonly what: string;
  readonly actual: unknown;
  readonly expected: unknown;
}

/** Ids that a conversion makes up are recorded as one word. */
function withoutMadeUp(value: unknown, made: ReadonlySet<string>): unknown {
  if (typeof value === "string") return made.has(value) ? "<random uuid>" : value;
  if (Array.isArray(value)) return value.map((item) => withoutMadeUp(item, made));
  if (!isJson(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, withoutMadeUp(item, made)]));
}

function message(converted: Converted): Json {
  const { warnings: _, ...fields } = converted;
  const json = object(
    toJson(GraphCompleteSchema, create(GraphCompleteSchema, fields), { useProtoFieldName: true }),
  );
  const flags = { has_ai_tasks: fields.hasAiTasks, has_external_agents: fields.hasExternalAgents };
  const lists = ["resources", "parameters", "presets", "external_auth_providers", "ai_tasks"];
  return { ...Object.fromEntries(lists.map((name) => [name, json[name] ?? []])), ...flags };
}

function convertCase(dir: string, part: "plan" | "state", input: readonly unknown[]): Json {
  const made = new Set<string>();
  const seeded = seededRand(basename(dir));
  const rand = {
    ...seeded,
    uuid() {
      const id = seeded.uuid();
      made.add(id);
      return id;
    },
  };
  const [jsonFile = "", dotFile = ""] = input.map(String);
  const json: unknown = JSON.parse(readFileSync(join(dir, jsonFile), "utf8"));
  const dot = readFileSync(join(dir, dotFile), "utf8");
  try {
    const converted =
      part === "plan" ? convertPlan({ plan: json, dot, rand }) : convertState({ state: json, dot, rand });
    return object(withoutMadeUp(message(converted), made));
  } catch (error) {
    return { error: error instanceof Error ? error.message : String(error) };
  }
}

function resultChecks(dir: string, part: "plan" | "state", expected: Json): Check[] {
  const result = object(expected["result"]);
  const actual = convertCase(dir, part, list(expected["input"]));
  const failed = "error" in result;
  const checks: Check[] = [
    failed || "error" in actual
      ? {
          what: `${part} error`,
          actual: "error" in actual ? "error" : actual,
          expected: failed ? "error" : result,
        }
      : { what: part, actual, expected: result },
  ];
  if (part === "state") return checks;
  const facts = planFacts(JSON.parse(readFileSync(join(dir, String(list(expected["input"])[0])), "utf8")));
  const replacements = Object.fromEntries(
    facts.resourceReplacements.map(({ resource, paths }) => [resource, paths]),
  );
  checks.push(
    {
      what: "plan_state",
      actual: { daily_cost: facts.dailyCost, ai_task_count: facts.aiTaskCount },
      expected: expected["plan_state"],
    },
    {
      what: "resource_replacements",
      actual: replacements,
      expected: expected["resource_replacements"] ?? {},
    },
    {
      what: "replacement_logs",
      actual: facts.replacementLogs.map((output) => ({ level: "WARN", output })),
      expected: expected["replacement_logs"] ?? [],
    },
  );
  return checks;
}

function stageOf(name: string): Stage {
  return name === "init" || name === "apply" ? name : "plan";
}

function timingJson(collector: TimingCollector, withTimes: boolean): JsonValue[] {
  const rows = collector.spans().map((timing) => {
    const json = object(toJson(TimingSchema, timing, { useProtoFieldName: true, alwaysEmitImplicit: true }));
    const { start, end, stage: _, ...rest } = json;
    const state = TimingState[timing.state];
    return withTimes ? { ...rest, state, start: micros(start), end: micros(end) } : { ...rest, state };
  });
  const key = (row: Json): string => `${String(row["resource"])}\0${String(row["action"])}`;
  return JSON.parse(JSON.stringify(rows.sort((one, other) => (key(one) < key(other) ? -1 : 1))));
}

/** Recordings have six fraction digits; protobuf's JSON drops zeros in threes. */
function micros(time: unknown): string {
  const [seconds = "", fraction = ""] = String(time).replace("Z", "").split(".");
  return `${seconds}.${fraction.padEnd(6, "0")}Z`;
}

function logChecks(dir: string, name: string, expected: Json): Check[] {
  const lines = readFileSync(join(dir, String(expected["input"])), "utf8").split("\n");
  const collector = new TimingCollector(stageOf(name));
  const out: LogLine[] = [];
  for (const line of lines) {
    out.push(...(name === "stderr" ? stderrLines(line) : stdoutLines(line)));
    const json = parseJsonLine(line);
    if (json) collector.add(json, new Date(0));
  }
  const logs = out.map(({ level, output }) => ({ level: LogLevel[level], output }));
  const checks: Check[] = [{ what: `${name} logs`, actual: logs, expected: expected["logs"] }];
  if (expected["timings"]) {
    const actual = timingJson(collector, name !== "init");
    checks.push({ what: `${name} timings`, actual, expected: sorted(expected["timings"]) });
  }
  return checks;
}

function sorted(timings: unknown): unknown[] {
  const key = (row: unknown): string =>
    `${String(object(row)["resource"])}\0${String(object(row)["action"])}`;
  return list(timings).sort((one, other) => (key(one) < key(other) ? -1 : 1));
}

function caseFolders(path: string): string[] {
  if (existsSync(join(path, "expected.json"))) return [path];
  return readdirSync(path)
    .sort()
    .map((name) => join(path, name))
    .filter((dir) => existsSync(join(dir, "expected.json")));
}

/** The checks of one case; `limited` where stock is known to fall short and ours may differ. */
export async function checkCase(
  dir: string,
): Promise<{ readonly limited: boolean; readonly checks: readonly Check[] }> {
  const expected = object(JSON.parse(readFileSync(join(dir, "expected.json"), "utf8")));
  const checks: Check[] = [];
  for (const part of ["plan", "state"] as const) {
    if (isJson(expected[part])) checks.push(...resultChecks(dir, part, expected[part]));
  }
  for (const [name, logs] of Object.entries(object(expected["logs"]))) {
    checks.push(...logChecks(dir, name, object(logs)));
  }
  if (isJson(expected["parse"])) checks.push(await parseCheck(dir, expected["parse"]));
  return { limited: expected["stock_limit"] !== undefined, checks };
}

async function parseCheck(dir: string, expected: Json): Promise<Check> {
  const { error, templateVariables, workspaceTags } = await parseTemplate(dir);
  if (error !== "" || "error" in expected) {
    return {
      what: "parse error",
      actual: error === "" ? "" : "error",
      expected: "error" in expected ? "error" : "",
    };
  }
  const message = create(ParseCompleteSchema, { templateVariables, workspaceTags });
  const json = object(toJson(ParseCompleteSchema, message, { useProtoFieldName: true }));
  const actual = {
    template_variables: json["template_variables"] ?? [],
    workspace_tags: json["workspace_tags"] ?? {},
  };
  return { what: "parse", actual, expected };
}

export async function run(args: readonly string[]): Promise<VectorResult> {
  let equal = 0;
  let of = 0;
  const failures: string[] = [];
  for (const dir of args.flatMap(caseFolders)) {
    const { limited, checks } = await checkCase(dir);
    for (const { what, actual, expected } of checks) {
      const same = isDeepStrictEqual(actual, expected);
      if (limited && !same) {
        console.log(`${basename(dir)} ${what}: differs from stock, which has a known limit there`);
        continue;
      }
      of += 1;
      if (same) equal += 1;
      else {
        failures.push(
          `${basename(dir)} ${what}: got ${JSON.stringify(actual)}, recorded ${JSON.stringify(expected)}`,
        );
      }
    }
  }
  return { equal, of, notYet: 0, failures };
}

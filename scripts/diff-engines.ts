/**
 * `node scripts/diff-engines.ts [DIR…]`: builds each template with the built-in engine and with Terraform (start, start
 * again, stop, destroy), and compares resources, costs and states. A folder of templates counts as all of them; those
 * that the built-in engine does not know are skipped. Exit status 1 where something differs.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join, relative, resolve } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { toJson } from "@bufbuild/protobuf";
import { cryptoRand } from "#cryptorand/cryptorand.ts";
import { agentScripts } from "#provisionersdk/agent-scripts.ts";
import type { Engine } from "#provisionersdk/engine.ts";
import { nativeEngine } from "#provisioner/native/engine.ts";
import { runBuild, type Build } from "#provisioner/native/nativetest/session.ts";
import { supports } from "#provisioner/native/supports.ts";
import { isRecord } from "#provisioner/terraform/convert/json.ts";
import { terraformEngine } from "#provisioner/terraform/engine.ts";
import { goPlatform } from "#provisioner/terraform/environment.ts";
import { GraphCompleteSchema, type GraphComplete } from "#rpc/gen/provisionersdk_pb.js";

const uuid = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g;

/** Ids become numbers in order of their first appearance, so that equal relations give equal texts. */
export function numbered(value: unknown): unknown {
  const seen = new Map<string, number>();
  const text = JSON.stringify(value).replaceAll(uuid, (id) => {
    const number = seen.get(id) ?? seen.size;
    seen.set(id, number);
    return `<id ${number}>`;
  });
  return JSON.parse(text);
}

function sortKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortKeys);
  if (!isRecord(value)) return value;
  return Object.fromEntries(
    Object.keys(value)
      .sort()
      .map((key) => [key, sortKeys(value[key])]),
  );
}

function graphFacts(graph: GraphComplete | undefined): unknown {
  if (!graph) return undefined;
  const json: unknown = toJson(GraphCompleteSchema, graph, { useProtoFieldName: true });
  if (!isRecord(json)) return undefined;
  const { timings: _, ...facts } = json;
  return sortKeys(facts);
}

/** What a state says, without what differs between any two runs. */
function stateFacts(state: Uint8Array): unknown {
  if (state.length === 0) return undefined;
  const json: unknown = JSON.parse(Buffer.from(state).toString("utf8"));
  if (!isRecord(json)) return undefined;
  const resources = Array.isArray(json["resources"]) ? json["resources"].filter(isRecord) : [];
  const key = (resource: Readonly<Record<string, unknown>>): string =>
    ["module", "mode", "type", "name"].map((name) => JSON.stringify(resource[name] ?? "")).join();
  const sorted = resources
    .toSorted((one, other) => (key(one) < key(other) ? -1 : 1))
    .map((resource) => {
      const instances = Array.isArray(resource["instances"]) ? resource["instances"].filter(isRecord) : [];
      return {
        ...resource,
        // identity_schema_version is written by Terraform since 1.12; both kinds of state are read by both.
        instances: instances.map((instance) => ({
          ...instance,
          identity_schema_version: undefined,
          sensitive_attributes: sortedSet(instance["sensitive_attributes"]),
          dependencies: sortedSet(instance["dependencies"]),
        })),
      };
    });
  return sortKeys({ outputs: json["outputs"] ?? {}, resources: sorted });
}

function sortedSet(value: unknown): string[] {
  return (Array.isArray(value) ? value : []).map((item) => JSON.stringify(item)).sort();
}

function buildFacts(build: Build): Readonly<Record<string, unknown>> {
  return {
    failed: build.error !== "",
    dailyCost: build.plan?.dailyCost,
    aiTaskCount: build.plan?.aiTaskCount,
    planned: numbered(graphFacts(build.planned) ?? null),
    made: numbered(graphFacts(build.graph) ?? null),
    state: numbered(stateFacts(build.apply?.state ?? new Uint8Array()) ?? null),
  };
}

/** All files of a template, except recordings that lie beside it. */
export function templateFiles(dir: string): Record<string, string> {
  const files = readdirSync(dir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !/^(?:input-|expected\.)/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name));
  return Object.fromEntries(files.map((file) => [relative(dir, file), readFileSync(file, "utf8")]));
}

export interface EnginePair {
  readonly native: Engine;
  readonly terraform: Engine;
}

export function enginePair(cacheDir: string): EnginePair {
  const machine = { platform: process.platform, arch: process.arch };
  const rand = cryptoRand;
  return {
    native: nativeEngine({ rand, agentScripts, env: process.env, ...goPlatform(machine) }),
    terraform: terraformEngine({ binary: "", env: process.env, cacheDir, agentScripts, rand, machine }),
  };
}

const steps = ["start", "start", "stop", "destroy"] as const;

export interface Difference {
  readonly step: string;
  readonly what: string;
  readonly native: unknown;
  readonly terraform: unknown;
}

/** Builds a template in both engines, each with its own state, and says what differs. */
export async function compareEngines(
  pair: EnginePair,
  files: Readonly<Record<string, string>>,
  variables: Readonly<Record<string, string>> = {},
): Promise<Difference[]> {
  const out: Difference[] = [];
  let nativeState: Uint8Array = new Uint8Array();
  let terraformState: Uint8Array = new Uint8Array();
  for (const [i, transition] of steps.entries()) {
    const dir = await mkdtemp(join(tmpdir(), "coder-diff-"));
    try {
      const input = { files, transition, variables };
      const [native, terraform] = await Promise.all([
        runBuild(pair.native, join(dir, "native"), { ...input, state: nativeState }),
        runBuild(pair.terraform, join(dir, "terraform"), { ...input, state: terraformState }),
      ]);
      const one = buildFacts(native);
      const other = buildFacts(terraform);
      for (const what of Object.keys(one)) {
        if (!isDeepStrictEqual(one[what], other[what])) {
          out.push({ step: `${i + 1} ${transition}`, what, native: one[what], terraform: other[what] });
        }
      }
      if (native.error !== "" || terraform.error !== "") return out;
      nativeState = native.apply?.state ?? nativeState;
      terraformState = terraform.apply?.state ?? terraformState;
    } finally {
      await rm(dir, { recursive: true, force: true });
    }
  }
  return out;
}

/** The first place where two trees differ, as a path and both values. */
export function firstDifference(one: unknown, other: unknown, path = ""): string {
  if (isRecord(one) && isRecord(other)) {
    for (const key of new Set([...Object.keys(one), ...Object.keys(other)])) {
      if (!isDeepStrictEqual(one[key], other[key])) {
        return firstDifference(one[key], other[key], `${path}.${key}`);
      }
    }
  }
  if (Array.isArray(one) && Array.isArray(other)) {
    for (let i = 0; i < Math.max(one.length, other.length); i++) {
      if (!isDeepStrictEqual(one[i], other[i])) return firstDifference(one[i], other[i], `${path}[${i}]`);
    }
  }
  return `${path}: native ${JSON.stringify(one)}, terraform ${JSON.stringify(other)}`;
}

/** Variables without which a recorded template cannot be planned stand in its first step. */
function recordedVariables(dir: string): Record<string, string> {
  const file = join(dir, "expected.json");
  if (!existsSync(file)) return {};
  const json: unknown = JSON.parse(readFileSync(file, "utf8"));
  const first: unknown = isRecord(json) && Array.isArray(json["steps"]) ? json["steps"][0] : undefined;
  const vars = isRecord(first) ? first["vars"] : undefined;
  return isRecord(vars)
    ? Object.fromEntries(Object.entries(vars).map(([name, value]) => [name, String(value)]))
    : {};
}

function isTemplate(dir: string): boolean {
  return existsSync(dir) && readdirSync(dir).some((name) => name.endsWith(".tf"));
}

function templatesIn(path: string): string[] {
  if (isTemplate(path)) return [path];
  const folders = readdirSync(path, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  return folders
    .map((entry) => join(path, entry.name))
    .filter(isTemplate)
    .sort();
}

async function main(args: readonly string[]): Promise<void> {
  const cache = await mkdtemp(join(tmpdir(), "coder-diff-cache-"));
  const pair = enginePair(cache);
  let compared = 0;
  let differ = 0;
  let skipped = 0;
  for (const dir of args.flatMap((path) => templatesIn(resolve(process.env["INIT_CWD"] ?? ".", path)))) {
    if (!supports(dir).ok) {
      skipped += 1;
      continue;
    }
    compared += 1;
    const differences = await compareEngines(pair, templateFiles(dir), recordedVariables(dir));
    if (differences.length > 0) differ += 1;
    for (const { step, what, native, terraform } of differences) {
      console.log(`${basename(dir)}, step ${step}, ${what}${firstDifference(native, terraform)}`);
    }
  }
  await rm(cache, { recursive: true, force: true });
  console.log(
    `${compared} templates compared, ${differ} differ, ${skipped} not known to the built-in engine`,
  );
  process.exitCode = differ > 0 ? 1 : 0;
}

if (import.meta.main) await main(process.argv.slice(2));

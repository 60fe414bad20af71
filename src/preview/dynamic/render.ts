/**
 * What a template's form looks like for these inputs and this owner: parameters, tags, presets, without any provider.
 * coderd calls it for dynamic parameters, for tags at import, and before a build. Pure but for reading the folder.
 */
import type { Clock } from "#quartz/clock.ts";
import type { Rand } from "#cryptorand/cryptorand.ts";
import { fromJson, toJson, type JsonTree } from "../cty/json.ts";
import * as v from "../cty/value.ts";
import type { Value } from "../cty/value.ts";
import { headRange } from "../hcl/ast.ts";
import { Budget } from "../hcl/scope.ts";
import { type Diagnostic, HclError, rangeText } from "../hcl/source.ts";
import { makeFunctions } from "../functions/functions.ts";
import { allModules, type ModuleConfig } from "../module/config.ts";
import { Evaluator, type ResourceInstance } from "../module/evaluator.ts";
import { loadModule } from "../module/load.ts";
import { readTfvars } from "../module/tfvars.ts";
import { readPreset, readTags, readVariables } from "./blocks.ts";
import { attempt, valueState } from "./lenient.ts";
import { type ParameterResult, readParameter } from "./parameter.ts";
import { planData } from "./plan-data.ts";
import {
  type PreviewDiagnostic,
  type PreviewParameter,
  type PreviewPreset,
  type PreviewTagBlock,
  type PreviewVariable,
  problem,
} from "./wire.ts";

export interface PreviewOwner {
  readonly id: string;
  readonly name: string;
  readonly full_name: string;
  readonly email: string;
  readonly ssh_public_key: string;
  readonly groups: readonly string[];
  readonly login_type: string;
  readonly rbac_roles: readonly { readonly name: string; readonly org_id: string }[];
}

export interface RenderInput {
  /** Folder of the template, module archive included. */
  readonly dir: string;
  readonly clock: Clock;
  readonly rand: Rand;
  readonly owner: PreviewOwner;
  /** Parameter name → chosen value. */
  readonly values: Readonly<Record<string, string>>;
  /** Values of template variables as JSON. */
  readonly variables?: Readonly<Record<string, unknown>>;
  /** `terraform show -json` of the import's plan. */
  readonly plan?: unknown;
}

export interface Rendered {
  readonly diagnostics: readonly PreviewDiagnostic[];
  readonly parameters: readonly PreviewParameter[];
  readonly workspace_tags: readonly PreviewTagBlock[];
  readonly presets: readonly PreviewPreset[];
  readonly variables: readonly PreviewVariable[];
  readonly module_output: Readonly<Record<string, JsonTree>>;
}

/** Loads the folder once; each rendering then costs no I/O but what `file` functions read. */
export function render(input: RenderInput, root: ModuleConfig = loadModule(input.dir)): Rendered {
  const once = renderForm(input, root);
  const presets = once.presets.map((preset) => checkPrebuilds(input, root, preset));
  return { ...once, presets: markDefaults(presets) };
}

/** Without the check of presets, which renders the template once more for each. */
export function renderForm(input: RenderInput, root: ModuleConfig): Rendered {
  const diagnostics = loadDiagnostics(root);
  const evaluator = makeEvaluator(input, root);
  const found = findAll(evaluator);
  const parameters: Extract<ParameterResult, { parameter: unknown }>[] = [];
  const tags: PreviewTagBlock[] = [];
  for (const instance of found.get("coder_parameter") ?? []) {
    const result = readParameter(instance, input.values);
    if ("parameter" in result) parameters.push(result);
    else diagnostics.push(...result.diagnostics);
  }
  parameters.sort(
    ({ parameter: a }, { parameter: b }) =>
      a.order - b.order || (a.name < b.name ? -1 : a.name > b.name ? 1 : 0),
  );
  diagnostics.push(...duplicates(parameters));
  for (const instance of found.get("coder_workspace_tags") ?? []) {
    const block = readTags(instance);
    if ("tags" in block) tags.push(block);
    else diagnostics.push(block);
  }
  return {
    diagnostics,
    parameters: parameters.map(({ parameter }) => parameter),
    workspace_tags: tags,
    presets: (found.get("coder_workspace_preset") ?? []).map(readPreset),
    variables: readVariables(root, evaluator.scope(evaluator.root)),
    module_output: outputs(evaluator),
  };
}

function loadDiagnostics(root: ModuleConfig): PreviewDiagnostic[] {
  const out: PreviewDiagnostic[] = [];
  for (const module of allModules(root)) {
    for (const { severity, summary, detail, range } of module.diagnostics) {
      out.push(problem(summary, range ? `${rangeText(range)}: ${detail}` : detail, "", severity));
    }
    for (const call of module.calls.values()) {
      if (call.module) continue;
      const detail = `The module ${JSON.stringify(call.name)} at ${rangeText(headRange(call.block))} is not here and is left out.`;
      out.push(problem("A module is not loaded", detail, "module_not_loaded", "warning"));
    }
  }
  return out;
}

function makeEvaluator(input: RenderInput, root: ModuleConfig): Evaluator {
  const known = planData(input.plan);
  const make = (variables: ReadonlyMap<string, Value>): Evaluator =>
    new Evaluator({
      root,
      variables,
      functions: makeFunctions({
        clock: input.clock,
        rand: input.rand,
        planTime: input.clock.now(),
        files: { base: root.dir, root: root.dir },
        impure: "now",
      }),
      budget: new Budget(),
      hooks: { unknownExpansion: "single", instance: (instance) => instanceValue(instance, input, known) },
    });
  const ignored: Diagnostic[] = [];
  const bare = make(new Map());
  const variables = readTfvars(root.dir, bare.scope(bare.root), ignored, { anyJson: true });
  for (const [name, json] of Object.entries(input.variables ?? {})) variables.set(name, fromJson(json));
  return make(variables);
}

function instanceValue(
  instance: ResourceInstance,
  input: RenderInput,
  known: ReadonlyMap<string, Value>,
): Value {
  const { resource } = instance;
  if (resource.key === "data.coder_workspace_owner.me") return ownerValue(input.owner);
  if (resource.mode === "data" && resource.type === "coder_parameter") return parameterValue(instance, input);
  if (resource.type.startsWith("coder_") && resource.mode === "data") return v.unknownOf();
  return known.get(instance.address) ?? attributes(instance) ?? v.unknownOf();
}

const ownerValue = (owner: PreviewOwner): Value =>
  fromJson({
    id: owner.id,
    name: owner.name,
    full_name: owner.full_name,
    email: owner.email,
    ssh_public_key: owner.ssh_public_key,
    groups: owner.groups,
    login_type: owner.login_type,
    rbac_roles: owner.rbac_roles,
  });

/** A parameter as others see it: its attributes as far as they are known, and `value`. */
function parameterValue(instance: ResourceInstance, input: RenderInput): Value {
  const given = attributes(instance);
  const fields = new Map(given ? v.entries(given) : []);
  const name = valueState(fields.get("name") ?? v.nullOf());
  const chosen =
    name.kind === "text" && Object.hasOwn(input.values, name.text) ? input.values[name.text] : undefined;
  const value = chosen === undefined ? fields.get("default") : v.str(chosen);
  // Without a value there is no such attribute: what refers to it cannot be resolved.
  if (value && value.content !== null) fields.set("value", value);
  return v.object([...fields, ["id", v.unknownOf()]]);
}

/** Attributes that can be evaluated; undefined without any. */
function attributes({ resource, scope }: ResourceInstance): Value | undefined {
  const out: [string, Value][] = [];
  for (const [name, attribute] of resource.block.body.attributes) {
    if (name === "count" || name === "for_each" || name === "depends_on" || name === "provider") continue;
    const value = attempt(attribute.value, scope);
    if (value) out.push([name, value]);
  }
  return out.length === 0 ? undefined : v.object(out);
}

/** Instances of the blocks that a preview shows, modules first to last. */
function findAll(evaluator: Evaluator): Map<string, ResourceInstance[]> {
  const out = new Map<string, ResourceInstance[]>();
  const guarded = (run: () => void): void => {
    try {
      run();
    } catch (error) {
      if (!(error instanceof HclError)) throw error;
    }
  };
  guarded(() => {
    for (const module of evaluator.allModules()) {
      for (const resource of module.config.resources.values()) {
        if (resource.mode !== "data" || !shown.has(resource.type)) continue;
        guarded(() => {
          const group = out.get(resource.type) ?? [];
          group.push(...evaluator.instances(module, resource));
          out.set(resource.type, group);
        });
      }
    }
  });
  return out;
}

const shown = new Set(["coder_parameter", "coder_workspace_tags", "coder_workspace_preset"]);

function duplicates(found: readonly Extract<ParameterResult, { parameter: unknown }>[]): PreviewDiagnostic[] {
  const byName = new Map<string, ResourceInstance[]>();
  for (const { parameter, instance } of found) {
    const group = byName.get(parameter.name);
    if (group) group.push(instance);
    else byName.set(parameter.name, [instance]);
  }
  return [...byName].flatMap(([name, group]) => {
    if (group.length < 2) return [];
    const places = group.map(
      ({ address, resource }) => `${address} at ${rangeText(headRange(resource.block))}`,
    );
    return [
      problem(
        `${group.length} parameters are named ${JSON.stringify(name)}, which is not allowed`,
        places.join("\n"),
      ),
    ];
  });
}

function outputs(evaluator: Evaluator): Record<string, JsonTree> {
  const out: [string, JsonTree][] = [];
  try {
    for (const module of evaluator.allModules()) {
      for (const output of module.config.outputs.values()) {
        const value = attempt(output.value, evaluator.scope(module, module.at));
        const json = value ? toJson(value) : undefined;
        if (json !== undefined) out.push([output.name, json]);
      }
    }
  } catch (error) {
    if (!(error instanceof HclError)) throw error;
  }
  return Object.fromEntries(out);
}

/** A preset with prebuilt workspaces must stand on its own: the template is rendered with its values. */
function checkPrebuilds(input: RenderInput, root: ModuleConfig, preset: PreviewPreset): PreviewPreset {
  if ((preset.prebuilds?.instances ?? 0) <= 0) return preset;
  const { parameters, diagnostics } = renderForm({ ...input, values: preset.parameters }, root);
  const out: PreviewDiagnostic[] = [
    ...preset.diagnostics,
    ...diagnostics.filter(({ severity }) => severity === "error"),
  ];
  for (const name of Object.keys(preset.parameters)) {
    if (!parameters.some((parameter) => parameter.name === name)) {
      out.push(
        problem(
          "Undefined Parameter",
          `The preset sets ${JSON.stringify(name)}, which is not a parameter of the template.`,
        ),
      );
    }
  }
  for (const parameter of parameters) {
    for (const item of parameter.diagnostics) {
      if (item.severity !== "error") continue;
      out.push({ ...item, summary: `Parameter ${parameter.name}: ${item.summary}` });
    }
  }
  return { ...preset, diagnostics: out };
}

function markDefaults(presets: readonly PreviewPreset[]): PreviewPreset[] {
  let seen = false;
  return presets.map((preset) => {
    if (!preset.default) return preset;
    if (!seen) {
      seen = true;
      return preset;
    }
    const again = problem(
      "Several presets are the default",
      `Only one preset can be the default; ${JSON.stringify(preset.name)} is another one.`,
    );
    return { ...preset, diagnostics: [...preset.diagnostics, again] };
  });
}

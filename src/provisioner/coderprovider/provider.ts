/** The provider's calls, as the plugin protocol has them, as pure functions. See types.ts for the shapes. */
import { error, urlProblem } from "./checks.ts";
import { externalAuth, gitAuth, secret, workspaceTags } from "./data/others.ts";
import { parameter } from "./data/parameter.ts";
import { preset } from "./data/preset.ts";
import { provisioner, task, workspace, workspaceOwner } from "./data/workspace.ts";
import { optional, schema } from "./define.ts";
import { planBlock, replacements } from "./plan.ts";
import { agent } from "./resources/agent.ts";
import { app } from "./resources/app.ts";
import {
  agentInstance,
  aiTask,
  devcontainer,
  env,
  externalAgent,
  metadata,
  script,
} from "./resources/others.ts";
import type {
  Attributes,
  BlockSchema,
  DataDef,
  Diagnostic,
  Json,
  Outcome,
  ProviderContext,
  ResourceDef,
  TypeDef,
} from "./types.ts";
import { upgradeBlock } from "./upgrade.ts";
import { validateBlock } from "./validate.ts";

const resources: Readonly<Record<string, ResourceDef>> = {
  coder_agent: agent,
  coder_agent_instance: agentInstance,
  coder_ai_task: aiTask,
  coder_app: app,
  coder_devcontainer: devcontainer,
  coder_env: env,
  coder_external_agent: externalAgent,
  coder_metadata: metadata,
  coder_script: script,
};

const dataSources: Readonly<Record<string, DataDef>> = {
  coder_external_auth: externalAuth,
  coder_git_auth: gitAuth,
  coder_parameter: parameter,
  coder_provisioner: provisioner,
  coder_secret: secret,
  coder_task: task,
  coder_workspace: workspace,
  coder_workspace_owner: workspaceOwner,
  coder_workspace_preset: preset,
  coder_workspace_tags: workspaceTags,
};

export const resourceTypes: Readonly<Record<string, TypeDef>> = resources;
export const dataTypes: Readonly<Record<string, TypeDef>> = dataSources;
export const providerBlock: BlockSchema = schema({ url: optional("string") });

/** Address of the provider in states and lock files. */
export const providerAddress = "registry.terraform.io/coder/coder";

function resourceDef(type: string): ResourceDef {
  const def = Object.hasOwn(resources, type) ? resources[type] : undefined;
  if (!def) throw new Error(`the provider has no resource type ${JSON.stringify(type)}`);
  return def;
}

function dataDef(type: string): DataDef {
  const def = Object.hasOwn(dataSources, type) ? dataSources[type] : undefined;
  if (!def) throw new Error(`the provider has no data source type ${JSON.stringify(type)}`);
  return def;
}

/** Reads the provider block. `vars` is the environment of the run. */
export function configure(
  config: Attributes,
  vars: Readonly<Record<string, string>>,
): { readonly url: string; readonly diagnostics: readonly Diagnostic[] } {
  const given = config["url"];
  const url =
    typeof given === "string" ? given : (vars["CODER_AGENT_URL"] ?? "https://mydeployment.coder.com");
  if (url === "") return { url, diagnostics: [error('CODER_AGENT_URL must not be empty; got ""')] };
  const problem = urlProblem(url);
  if (problem === undefined) return { url, diagnostics: [] };
  return { url, diagnostics: [error(`the provider's url is no URL: ${problem}: ${JSON.stringify(url)}`)] };
}

/** Checks a resource's configuration; what is unknown is skipped. Throws on an unknown type, as all of these do. */
export function validateResource(type: string, config: Attributes): Diagnostic[] {
  return validateBlock(resourceDef(type).block, config);
}

export function validateData(type: string, config: Attributes): Diagnostic[] {
  return validateBlock(dataDef(type).block, config);
}

export interface Planned {
  readonly planned: Attributes;
  /** Every change makes a new resource: there are no updates in place. */
  readonly requiresReplace: readonly (readonly (string | number)[])[];
  readonly diagnostics: readonly Diagnostic[];
}

/** `prior` is null for a create. A destroy needs no plan. */
export function planResource(
  type: string,
  { config, prior }: { readonly config: Attributes; readonly prior: Attributes | null },
): Planned {
  const def = resourceDef(type);
  const fresh = planBlock(def.block, config);
  const diagnostics = def.planChecks?.(fresh) ?? [];
  if (prior === null) return { planned: fresh, requiresReplace: [], diagnostics };
  const changed = replacements(def.block, fresh, prior);
  if (changed.length === 0) return { planned: prior, requiresReplace: [], diagnostics };
  return {
    planned: { ...prior, ...configured(def.block, fresh, config) },
    requiresReplace: changed,
    diagnostics,
  };
}

/** What the configuration decides; the rest keeps its prior value in the plan of a change. */
function configured(block: BlockSchema, fresh: Attributes, config: Attributes): Attributes {
  const out: Record<string, Json> = {};
  for (const [name, { computed }] of Object.entries(block.attributes)) {
    const value = config[name] ?? null;
    if (!computed || value !== null) out[name] = fresh[name] ?? null;
  }
  for (const [name, { computed }] of Object.entries(block.blocks)) {
    const value = config[name] ?? [];
    if (!computed || !Array.isArray(value) || value.length > 0) out[name] = fresh[name] ?? [];
  }
  return out;
}

export function createResource(
  type: string,
  { planned }: { readonly planned: Attributes },
  ctx: ProviderContext,
): Outcome {
  return resourceDef(type).create(planned, ctx);
}

export function readResource(type: string, state: Attributes, ctx: ProviderContext): Attributes {
  return resourceDef(type).read?.(state, ctx) ?? state;
}

/** Fills the defaults, then reads. The configuration must be wholly known. */
export function readData(type: string, config: Attributes, ctx: ProviderContext): Outcome {
  const def = dataDef(type);
  return def.read(planBlock(def.block, config, { computedAs: null }), ctx);
}

/** A stored state of any version, raw JSON: attributes of today's schema, nothing else. */
export function upgradeState(type: string, raw: Attributes): Attributes {
  return upgradeBlock(resourceDef(type).block, raw);
}

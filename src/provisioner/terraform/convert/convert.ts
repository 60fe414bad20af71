/**
 * Plan or state → resources. Both engines (terraform, native) end their jobs here: they hand in what
 * `terraform show -json` and `terraform graph -type=plan` print, or would print, and get the fields of a
 * `GraphComplete`. Pure: the only chance is the ids of apps that have none yet.
 */
import { create } from "@bufbuild/protobuf";
import {
  AITaskSchema,
  AITaskSidebarAppSchema,
  ExternalAuthProviderResourceSchema,
  type AITask,
  type ExternalAuthProviderResource,
  type Preset,
  type Resource,
  type RichParameter,
} from "#rpc/gen/provisionersdk_pb.js";
import type { Rand } from "#cryptorand/cryptorand.ts";
import { convertAgents, ownerLabels } from "./agents.ts";
import { attachAll } from "./attachments.ts";
import { byteOrder, collect, onlyData, type Collected } from "./collect.ts";
import { ConvertError, knownString, reader } from "./decode.ts";
import { parseGraph, type Graph } from "./graph.ts";
import { readPlan, readState, type ModuleJson } from "./json.ts";
import { convertParameters, convertPresets } from "./parameters.ts";
import { convertResources } from "./resources.ts";

export interface Converted {
  readonly resources: Resource[];
  readonly parameters: RichParameter[];
  readonly presets: Preset[];
  readonly externalAuthProviders: ExternalAuthProviderResource[];
  readonly aiTasks: AITask[];
  readonly hasAiTasks: boolean;
  readonly hasExternalAgents: boolean;
  /** Lines for the job's log, at warn. */
  readonly warnings: readonly string[];
}

function convertAiTasks(collected: Collected): AITask[] {
  const tasks = collected.inOrder.filter(({ mode, type }) => mode === "managed" && type === "coder_ai_task");
  return tasks.map(({ values }) => {
    const attributes = reader("decode coder_ai_task attributes", values);
    const appId = attributes.string("app_id") || attributes.blocks("sidebar_app")[0]?.string("id") || "";
    return create(AITaskSchema, {
      id: attributes.string("id"),
      appId,
      sidebarApp: create(AITaskSidebarAppSchema, { id: appId }),
    });
  });
}

function convertExternalAuth(collected: Collected): ExternalAuthProviderResource[] {
  const byId = new Map<string, ExternalAuthProviderResource>();
  for (const { address, values } of [
    ...collected.data("coder_git_auth"),
    ...collected.data("coder_external_auth"),
  ]) {
    const id = knownString(values, "id");
    if (id === undefined) {
      throw new ConvertError(`the id of ${address} must be a string that is known at plan`);
    }
    byId.set(id, create(ExternalAuthProviderResourceSchema, { id, optional: values["optional"] === true }));
  }
  return [...byId.values()].sort((one, other) => byteOrder(one.id, other.id));
}

function hasExternalAgents(graph: Graph): boolean {
  return [...graph.nodesByLabel.keys()].some(
    (label) => label.startsWith("coder_external_agent.") || label.includes(".coder_external_agent."),
  );
}

function convert(modules: readonly ModuleJson[], dot: string, rand: Rand): Converted {
  const graph = parseGraph(dot);
  const collected = collect(modules);
  const owners = ownerLabels(collected);
  const agents = convertAgents(collected, graph, owners);
  attachAll(collected, graph, agents, rand);
  const parameters = convertParameters(collected);
  const { presets, warnings } = convertPresets(collected, parameters);
  const aiTasks = convertAiTasks(collected);
  return {
    resources: convertResources(collected, graph, owners, agents),
    parameters,
    presets,
    externalAuthProviders: convertExternalAuth(collected),
    aiTasks,
    hasAiTasks: aiTasks.length > 0,
    hasExternalAgents: hasExternalAgents(graph),
    warnings,
  };
}

export interface PlanInput {
  /** `terraform show -json PLAN`, parsed; checked here. */
  readonly plan: unknown;
  /** `terraform graph -type=plan`. */
  readonly dot: string;
  readonly rand: Rand;
}

/** Throws a ConvertError where the template cannot become resources, an Error where the JSON has another shape. */
export function convertPlan({ plan, dot, rand }: PlanInput): Converted {
  const { priorState, plannedValues } = readPlan(plan);
  return convert([...(priorState ? [onlyData(priorState)] : []), plannedValues], dot, rand);
}

export interface StateInput {
  /** `terraform show -json`, parsed; checked here. */
  readonly state: unknown;
  readonly dot: string;
  readonly rand: Rand;
}

/** Like convertPlan, of what exists. */
export function convertState({ state, dot, rand }: StateInput): Converted {
  const { root } = readState(state);
  return convert(root ? [root] : [], dot, rand);
}

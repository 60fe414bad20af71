/** What hangs on agents: dev containers, apps, scripts, environment variables. */
import { create } from "@bufbuild/protobuf";
import {
  AppOpenIn,
  AppSchema,
  AppSharingLevel,
  DevcontainerSchema,
  EnvSchema,
  HealthcheckSchema,
  ScriptSchema,
  type App,
  type Env,
  type Script,
} from "#rpc/gen/provisionersdk_pb.js";
import type { Rand } from "#cryptorand/cryptorand.ts";
import type { OwnedAgent } from "./agents.ts";
import type { Collected } from "./collect.ts";
import { ConvertError, reader } from "./decode.ts";
import { hasRootEdge, type Graph } from "./graph.ts";
import type { ResourceJson } from "./json.ts";

const slugPattern = /^[a-z0-9](-?[a-z0-9])*$/;

/**
 * Whether an item belongs to a target. Before an apply neither id is known; then the graph's edge between two blocks
 * of the root module decides.
 */
function belongsTo(
  graph: Graph,
  item: ResourceJson,
  agentId: string,
  targetId: string,
  target: string,
): boolean {
  if (targetId === "" && agentId === "") return hasRootEdge(graph, `${item.type}.${item.name}`, target);
  return agentId === targetId;
}

interface Target {
  apps: App[];
  scripts: Script[];
  envs: Env[];
}

/** The first agent that matches, or else the first of its dev containers that does. */
function findTarget(
  graph: Graph,
  agents: readonly OwnedAgent[],
  item: ResourceJson,
  agentId: string,
): Target | undefined {
  for (const { agent } of agents) {
    if (belongsTo(graph, item, agentId, agent.id, `coder_agent.${agent.name}`)) {
      return { apps: agent.apps, scripts: agent.scripts, envs: agent.extraEnvs };
    }
    const inner = agent.devcontainers.find((container) =>
      belongsTo(graph, item, agentId, container.subagentId, `coder_devcontainer.${container.name}`),
    );
    if (inner) return inner;
  }
  return undefined;
}

function attachDevcontainers(collected: Collected, graph: Graph, agents: readonly OwnedAgent[]): void {
  for (const resource of collected.managed("coder_devcontainer")) {
    const attributes = reader("decode devcontainer attributes", resource.values);
    const agentId = attributes.string("agent_id");
    const fields = {
      id: attributes.string("id"),
      name: resource.name,
      workspaceFolder: attributes.string("workspace_folder"),
      configPath: attributes.string("config_path"),
      subagentId: attributes.string("subagent_id"),
    };
    for (const { agent } of agents) {
      if (!belongsTo(graph, resource, agentId, agent.id, `coder_agent.${agent.name}`)) continue;
      agent.devcontainers.push(create(DevcontainerSchema, fields));
    }
  }
}

function sharingLevel(share: string): AppSharingLevel {
  switch (share.toLowerCase()) {
    case "authenticated":
      return AppSharingLevel.AUTHENTICATED;
    case "public":
      return AppSharingLevel.PUBLIC;
    default:
      return AppSharingLevel.OWNER;
  }
}

function attachApps(collected: Collected, graph: Graph, agents: readonly OwnedAgent[], rand: Rand): void {
  const slugs = new Set<string>();
  for (const resource of collected.managed("coder_app")) {
    const attributes = reader("decode app attributes", resource.values);
    const slug = attributes.string("slug") || resource.name;
    if (!slugPattern.test(slug)) {
      throw new ConvertError(
        `app slug ${JSON.stringify(slug)} must be lower-case letters and digits, with single hyphens between them`,
      );
    }
    if (slugs.has(slug)) {
      throw new ConvertError(`duplicate app slug, they must be unique per template: ${JSON.stringify(slug)}`);
    }
    slugs.add(slug);
    const check = attributes.blocks("healthcheck")[0];
    const app = create(AppSchema, {
      id: attributes.string("id") || rand.uuid(),
      slug,
      displayName: attributes.string("display_name") || attributes.string("name") || slug,
      command: attributes.string("command"),
      url: attributes.string("url"),
      icon: attributes.string("icon"),
      subdomain: attributes.bool("subdomain"),
      sharingLevel: sharingLevel(attributes.string("share")),
      external: attributes.bool("external"),
      order: attributes.bigint("order"),
      hidden: attributes.bool("hidden"),
      openIn: attributes.string("open_in").toLowerCase() === "tab" ? AppOpenIn.TAB : AppOpenIn.SLIM_WINDOW,
      group: attributes.string("group"),
      tooltip: attributes.string("tooltip"),
    });
    if (check) {
      app.healthcheck = create(HealthcheckSchema, {
        url: check.string("url"),
        interval: check.int("interval"),
        threshold: check.int("threshold"),
      });
    }
    findTarget(graph, agents, resource, attributes.string("agent_id"))?.apps.push(app);
  }
}

function attachEnvs(collected: Collected, graph: Graph, agents: readonly OwnedAgent[]): void {
  for (const resource of collected.managed("coder_env")) {
    const attributes = reader("decode env attributes", resource.values);
    const env = create(EnvSchema, {
      name: attributes.string("name"),
      value: attributes.string("value"),
      mergeStrategy: attributes.string("merge_strategy"),
    });
    findTarget(graph, agents, resource, attributes.string("agent_id"))?.envs.push(env);
  }
}

function attachScripts(collected: Collected, graph: Graph, agents: readonly OwnedAgent[]): void {
  for (const resource of collected.managed("coder_script")) {
    const attributes = reader("decode script attributes", resource.values);
    const script = create(ScriptSchema, {
      displayName: attributes.string("display_name"),
      icon: attributes.string("icon"),
      script: attributes.string("script"),
      cron: attributes.string("cron"),
      startBlocksLogin: attributes.bool("start_blocks_login"),
      runOnStart: attributes.bool("run_on_start"),
      runOnStop: attributes.bool("run_on_stop"),
      timeoutSeconds: attributes.int("timeout"),
      logPath: attributes.string("log_path"),
    });
    findTarget(graph, agents, resource, attributes.string("agent_id"))?.scripts.push(script);
  }
}

/** Fills the agents. What matches no agent is left out, after its checks. Dev containers first: others hang on them. */
export function attachAll(
  collected: Collected,
  graph: Graph,
  agents: readonly OwnedAgent[],
  rand: Rand,
): void {
  attachDevcontainers(collected, graph, agents);
  attachApps(collected, graph, agents, rand);
  attachEnvs(collected, graph, agents);
  attachScripts(collected, graph, agents);
}

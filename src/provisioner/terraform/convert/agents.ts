/** coder_agent, with what lies in it, and the resource that it runs on. */
import { create } from "@bufbuild/protobuf";
import {
  AgentSchema,
  Agent_MetadataSchema,
  DisplayAppsSchema,
  MemoryResourceMonitorSchema,
  ResourcesMonitoringSchema,
  ScriptSchema,
  VolumeResourceMonitorSchema,
  type Agent,
  type DisplayApps,
  type ResourcesMonitoring,
  type Script,
} from "#rpc/gen/provisionersdk_pb.js";
import { labelOf } from "./address.ts";
import { byteOrder, type Collected } from "./collect.ts";
import { ConvertError, knownString, reader, type Reader } from "./decode.ts";
import { nearest, type Graph } from "./graph.ts";
import type { ResourceJson } from "./json.ts";

export interface OwnedAgent {
  readonly agent: Agent;
  readonly address: string;
  /** Label of the resource that the agent runs on. */
  readonly owner: string;
  readonly tokenAuth: boolean;
}

const namePattern = /^[a-z0-9](-?[a-z0-9])*$/i;

function checkName(name: string, seen: Set<string>): void {
  if (name.includes("_")) {
    throw new ConvertError(
      `agent name ${JSON.stringify(name)} contains underscores, which are not supported: use hyphens instead`,
    );
  }
  if (!namePattern.test(name)) {
    throw new ConvertError(
      `agent name ${JSON.stringify(name)} must be letters and digits, with single hyphens between them`,
    );
  }
  const key = name.toLowerCase();
  if (seen.has(key)) throw new ConvertError(`duplicate agent name: ${key}`);
  seen.add(key);
}

function displayApps(blocks: readonly Reader[]): DisplayApps {
  const block = blocks[0];
  if (!block) {
    return create(DisplayAppsSchema, {
      vscode: true,
      webTerminal: true,
      sshHelper: true,
      portForwardingHelper: true,
    });
  }
  return create(DisplayAppsSchema, {
    vscode: block.bool("vscode"),
    vscodeInsiders: block.bool("vscode_insiders"),
    webTerminal: block.bool("web_terminal"),
    sshHelper: block.bool("ssh_helper"),
    portForwardingHelper: block.bool("port_forwarding_helper"),
  });
}

function monitoring(blocks: readonly Reader[]): ResourcesMonitoring {
  const out = create(ResourcesMonitoringSchema);
  for (const block of blocks) {
    for (const memory of block.blocks("memory")) {
      out.memory = create(MemoryResourceMonitorSchema, {
        enabled: memory.bool("enabled"),
        threshold: memory.int("threshold"),
      });
    }
    for (const volume of block.blocks("volume")) {
      out.volumes.push(
        create(VolumeResourceMonitorSchema, {
          path: volume.string("path"),
          enabled: volume.bool("enabled"),
          threshold: volume.int("threshold"),
        }),
      );
    }
  }
  return out;
}

/** The scripts that an agent carries as attributes. An empty one is not made. */
function ownScripts(attributes: Reader, values: ResourceJson["values"]): Script[] {
  const behavior = attributes.string("startup_script_behavior");
  // Templates older than the behaviour attribute said it by a flag.
  const blocking = behavior === "" ? values["login_before_ready"] === false : behavior === "blocking";
  const out: Script[] = [];
  const startup = attributes.string("startup_script");
  if (startup !== "") {
    out.push(
      create(ScriptSchema, {
        displayName: "Startup Script",
        icon: "/emojis/25b6-fe0f.png",
        logPath: "coder-startup-script.log",
        script: startup,
        runOnStart: true,
        startBlocksLogin: blocking,
      }),
    );
  }
  const shutdown = attributes.string("shutdown_script");
  if (shutdown !== "") {
    out.push(
      create(ScriptSchema, {
        displayName: "Shutdown Script",
        icon: "/emojis/25c0.png",
        logPath: "coder-shutdown-script.log",
        script: shutdown,
        runOnStop: true,
      }),
    );
  }
  return out;
}

function convertAgent(resource: ResourceJson): { agent: Agent; tokenAuth: boolean } {
  const attributes = reader("decode agent attributes", resource.values);
  const tokenAuth = attributes.string("auth") === "token";
  const agent = create(AgentSchema, {
    id: attributes.string("id"),
    name: resource.name,
    env: attributes.strings("env"),
    operatingSystem: attributes.string("os"),
    architecture: attributes.string("arch"),
    directory: attributes.string("dir"),
    auth: tokenAuth
      ? { case: "token", value: attributes.string("token") }
      : { case: "instanceId", value: "" },
    connectionTimeoutSeconds: attributes.int("connection_timeout"),
    troubleshootingUrl: attributes.string("troubleshooting_url"),
    motdFile: attributes.string("motd_file"),
    metadata: attributes.blocks("metadata").map((item) =>
      create(Agent_MetadataSchema, {
        key: item.string("key"),
        displayName: item.string("display_name"),
        script: item.string("script"),
        interval: item.bigint("interval"),
        timeout: item.bigint("timeout"),
        order: item.bigint("order"),
      }),
    ),
    displayApps: displayApps(attributes.blocks("display_apps")),
    scripts: ownScripts(attributes, resource.values),
    order: attributes.bigint("order"),
    resourcesMonitoring: monitoring(attributes.blocks("resources_monitoring")),
    apiKeyScope: attributes.string("api_key_scope"),
  });
  return { agent, tokenAuth };
}

/** Labels that agents and metadata can hang on: managed resources, none of ours but the external agent. */
export function ownerLabels(collected: Collected): ReadonlySet<string> {
  return new Set(
    collected.allManaged
      .filter(({ type }) => !type.startsWith("coder_") || type === "coder_external_agent")
      .map(({ address }) => labelOf(address)),
  );
}

/**
 * Agents with their owners, by owner's label, then by address. An agent that nothing uses is left out, but its name
 * is taken.
 */
export function convertAgents(collected: Collected, graph: Graph, owners: ReadonlySet<string>): OwnedAgent[] {
  const names = new Set<string>();
  const out: OwnedAgent[] = [];
  for (const resource of collected.managed("coder_agent")) {
    checkName(resource.name, names);
    const converted = convertAgent(resource);
    const label = labelOf(resource.address);
    if (!graph.nodesByLabel.has(label)) {
      throw new ConvertError(`couldn't find node on graph: ${JSON.stringify(label)}`);
    }
    const owner = nearest(graph, label, graph.dependents, (found) => owners.has(found));
    if (owner !== undefined) out.push({ ...converted, address: resource.address, owner });
  }
  assignInstances(collected, out);
  return out.sort((one, other) => byteOrder(one.owner, other.owner) || byteOrder(one.address, other.address));
}

/** coder_agent_instance names the machine of an agent that identifies itself by it. */
function assignInstances(collected: Collected, agents: readonly OwnedAgent[]): void {
  for (const { values } of collected.managed("coder_agent_instance")) {
    const agentId = knownString(values, "agent_id");
    const instanceId = knownString(values, "instance_id");
    if (agentId === undefined || instanceId === undefined) continue;
    for (const { agent, tokenAuth } of agents) {
      if (!tokenAuth && agent.id === agentId) agent.auth = { case: "instanceId", value: instanceId };
    }
  }
}

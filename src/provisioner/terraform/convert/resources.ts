/** Resources as users see them: with their agents and coder_metadata. */
import { create } from "@bufbuild/protobuf";
import {
  ResourceSchema,
  Resource_MetadataSchema,
  type Resource,
  type Resource_Metadata,
} from "#rpc/gen/provisionersdk_pb.js";
import { labelOf, modulePath, sameModuleInstance } from "./address.ts";
import type { OwnedAgent } from "./agents.ts";
import type { Collected } from "./collect.ts";
import { ConvertError, knownString, reader } from "./decode.ts";
import { nearest, type Graph } from "./graph.ts";
import type { ResourceJson } from "./json.ts";

/** Types of ours that are parts of other resources, not resources of their own. */
const hiddenTypes = new Set([
  "coder_script",
  "coder_agent",
  "coder_agent_instance",
  "coder_app",
  "coder_metadata",
]);

const instanceTypeAttributes = new Map([
  ["google_compute_instance", "machine_type"],
  ["aws_instance", "instance_type"],
  ["aws_spot_instance_request", "instance_type"],
  ["azurerm_linux_virtual_machine", "size"],
  ["azurerm_windows_virtual_machine", "size"],
]);

const instanceIdAttributes = new Map([
  ["google_compute_instance", "instance_id"],
  ["aws_instance", "id"],
  ["aws_spot_instance_request", "spot_instance_id"],
  ["azurerm_linux_virtual_machine", "virtual_machine_id"],
  ["azurerm_windows_virtual_machine", "virtual_machine_id"],
]);

interface About {
  readonly hide: boolean;
  readonly icon: string;
  readonly dailyCost: number;
  readonly items: Resource_Metadata[];
}

/** coder_metadata by the address of the instance that it describes. */
function describe(collected: Collected, graph: Graph, owners: ReadonlySet<string>): Map<string, About> {
  const out = new Map<string, About>();
  for (const resource of collected.managed("coder_metadata")) {
    const attributes = reader("decode metadata attributes", resource.values);
    const label = labelOf(resource.address);
    const owner = nearest(graph, label, graph.dependencies, (found) => owners.has(found));
    if (owner === undefined) continue;
    const about: About = {
      hide: attributes.bool("hide"),
      icon: attributes.string("icon"),
      dailyCost: attributes.int("daily_cost"),
      items: attributes.blocks("item").map((item) =>
        create(Resource_MetadataSchema, {
          key: item.string("key"),
          value: item.string("value"),
          sensitive: item.bool("sensitive"),
          isNull: item.bool("is_null"),
        }),
      ),
    };
    for (const { address } of instancesOf(collected, owner, resource.address)) {
      if (out.has(address)) throw new ConvertError(`duplicate metadata resource: ${owner}`);
      out.set(address, about);
    }
  }
  return out;
}

/** Instances of an owner's label in the module instances that a block can mean. */
function instancesOf(collected: Collected, owner: string, from: string): ResourceJson[] {
  return collected.allManaged.filter(
    ({ address }) => labelOf(address) === owner && sameModuleInstance(address, from),
  );
}

/** An agent without an instance id takes the one of the first machine that it runs on. */
function inheritInstanceIds(collected: Collected, agents: readonly OwnedAgent[]): void {
  for (const { agent, address, owner, tokenAuth } of agents) {
    if (tokenAuth || agent.auth.value) continue;
    for (const machine of instancesOf(collected, owner, address)) {
      const attribute = instanceIdAttributes.get(machine.type);
      const id = attribute === undefined ? undefined : knownString(machine.values, attribute);
      if (id === undefined) continue;
      agent.auth = { case: "instanceId", value: id };
      break;
    }
  }
}

export function convertResources(
  collected: Collected,
  graph: Graph,
  owners: ReadonlySet<string>,
  agents: readonly OwnedAgent[],
): Resource[] {
  const abouts = describe(collected, graph, owners);
  inheritInstanceIds(collected, agents);
  return collected.allManaged
    .filter(({ type }) => !hiddenTypes.has(type))
    .map((resource) => {
      const { address, type } = resource;
      const label = labelOf(address);
      const about = abouts.get(address);
      const typeAttribute = instanceTypeAttributes.get(type);
      return create(ResourceSchema, {
        name: resource.name,
        type,
        agents: agents
          .filter((agent) => agent.owner === label && sameModuleInstance(agent.address, address))
          .map(({ agent }) => agent),
        metadata: about?.items ?? [],
        hide: about?.hide ?? false,
        icon: about?.icon ?? "",
        dailyCost: about?.dailyCost ?? 0,
        instanceType: (typeAttribute && knownString(resource.values, typeAttribute)) ?? "",
        modulePath: modulePath(address),
      });
    });
}

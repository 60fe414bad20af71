/** Names of the channels that agents' reports are announced on, and their messages. */
import { uuidBytes } from "#tailnet/addresses.ts";

/** `{"created_after": id}` after lines were stored. */
export function agentLogsChannel(agentId: string): string {
  return `agent-logs:${agentId}`;
}

/** Ids of the agents whose metadata was written: unpadded base64, 22 characters each, one after the other. */
export const metadataChannel = "workspace_agent_metadata_batch";

export function encodeAgents(agentIds: readonly string[]): string {
  return agentIds.map(encodeAgent).join("");
}

export function mentionsAgent(payload: string, agentId: string): boolean {
  const wanted = encodeAgent(agentId);
  for (let at = 0; at + wanted.length <= payload.length; at += wanted.length) {
    if (payload.startsWith(wanted, at)) return true;
  }
  return false;
}

function encodeAgent(agentId: string): string {
  return uuidBytes(agentId).toString("base64").slice(0, 22);
}

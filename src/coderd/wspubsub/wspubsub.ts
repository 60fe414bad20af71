/** Events of workspaces, on a channel per owner: whoever shows a workspace reads it again. Messages are hints only. */
import type { Pubsub } from "../database/pubsub/pubsub.ts";

export type WorkspaceEventKind =
  | "state_change"
  | "stats_update"
  | "mtd_update"
  | "app_health"
  | "agt_lifecycle_update"
  | "agt_connection_update"
  | "agt_first_logs"
  | "agt_logs_overflow"
  | "agt_timeout"
  | "agt_app_status_update";

export interface WorkspaceEvent {
  readonly kind: WorkspaceEventKind;
  readonly workspaceId: string;
  readonly agentId?: string;
}

export function workspaceChannel(ownerId: string): string {
  return `workspace_owner:${ownerId}`;
}

export function publishWorkspaceEvent(pubsub: Pubsub, ownerId: string, event: WorkspaceEvent): Promise<void> {
  const { kind, workspaceId, agentId } = event;
  const payload = {
    kind,
    workspace_id: workspaceId,
    ...(agentId === undefined ? {} : { agent_id: agentId }),
  };
  return pubsub.publish(workspaceChannel(ownerId), JSON.stringify(payload));
}

/** Undefined for what is not such an event. */
export function parseWorkspaceEvent(payload: string): { kind: string; workspaceId: string } | undefined {
  try {
    const value: unknown = JSON.parse(payload);
    if (typeof value !== "object" || value === null || !("kind" in value) || !("workspace_id" in value)) {
      return undefined;
    }
    const { kind, workspace_id: workspaceId } = value;
    return typeof kind === "string" && typeof workspaceId === "string" ? { kind, workspaceId } : undefined;
  } catch {
    return undefined;
  }
}

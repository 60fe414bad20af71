/** Lifecycle states between wire and rows, and the times that follow from them (spec agent §8). Pure. */
import { Lifecycle_State } from "#rpc/gen/agent_pb.js";
import type { WorkspaceAgent, WorkspaceAgentLifecycleState } from "../database/gen/models.gen.ts";

const states: Readonly<Partial<Record<Lifecycle_State, WorkspaceAgentLifecycleState>>> = {
  [Lifecycle_State.CREATED]: "created",
  [Lifecycle_State.STARTING]: "starting",
  [Lifecycle_State.START_TIMEOUT]: "start_timeout",
  [Lifecycle_State.START_ERROR]: "start_error",
  [Lifecycle_State.READY]: "ready",
  [Lifecycle_State.SHUTTING_DOWN]: "shutting_down",
  [Lifecycle_State.SHUTDOWN_TIMEOUT]: "shutdown_timeout",
  [Lifecycle_State.SHUTDOWN_ERROR]: "shutdown_error",
  [Lifecycle_State.OFF]: "off",
};

/** Undefined for a state that does not exist. */
export function lifecycleState(state: Lifecycle_State): WorkspaceAgentLifecycleState | undefined {
  return states[state];
}

export function lifecycleTimes(
  agent: Pick<WorkspaceAgent, "startedAt" | "readyAt">,
  state: WorkspaceAgentLifecycleState,
  changedAt: Date,
): { readonly startedAt: Date | null; readonly readyAt: Date | null } {
  switch (state) {
    case "starting":
      return { startedAt: changedAt, readyAt: null };
    case "ready":
    case "start_timeout":
    case "start_error":
      return { startedAt: agent.startedAt ?? changedAt, readyAt: changedAt };
    case "created":
    case "shutting_down":
    case "shutdown_timeout":
    case "shutdown_error":
    case "off":
      return { startedAt: agent.startedAt, readyAt: agent.readyAt };
  }
}

/** What the routes of agents, as people see them, need. */
import type { Clock } from "#quartz/clock.ts";
import type { Pubsub } from "../database/pubsub/pubsub.ts";
import type { ServerNetwork } from "../tailnet/network.ts";
import type { ViewDeps } from "../workspaceview/load.ts";

export interface WorkspaceAgentDeps extends ViewDeps {
  readonly clock: Clock;
  readonly pubsub: Pubsub;
  readonly network: ServerNetwork;
}

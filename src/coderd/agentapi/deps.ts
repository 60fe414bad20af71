/** What the agent API needs, and who is on the other end of a connection. */
import type { Rand } from "#cryptorand/cryptorand.ts";
import type { Clock } from "#quartz/clock.ts";
import type { Logger } from "#slog/slog.ts";
import type { AuthzStore } from "../database/dbauthz/dbauthz.ts";
import type { Pubsub } from "../database/pubsub/pubsub.ts";
import type { ServerNetwork } from "../tailnet/network.ts";
import type { WorkspaceStats } from "../workspacestats/workspacestats.ts";
import type { MetadataBatcher } from "./metadata-batcher.ts";

export interface AgentApiDeps {
  readonly store: AuthzStore;
  readonly clock: Clock;
  readonly rand: Rand;
  readonly log: Logger;
  readonly pubsub: Pubsub;
  readonly network: ServerNetwork;
  readonly metadataBatcher: MetadataBatcher;
  readonly workspaceStats: WorkspaceStats;
  /** How often agents report statistics. */
  readonly agentStatsIntervalMs: number;
  /** Who we are among the replicas. */
  readonly replicaId: string;
  /** `*.apps.example.com`, or empty: names of apps and ports below it. */
  readonly wildcardHost: string;
  readonly accessUrl: () => string;
}

/** The agent of a connection: what authentication proved, and nothing that the agent says. */
export interface AgentIdentity {
  readonly agentId: string;
  readonly workspaceId: string;
  readonly ownerId: string;
  readonly templateId: string;
  /** Agreed version of the RPC: "2.9". */
  readonly apiVersion: string;
}

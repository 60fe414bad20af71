/** Metadata of an agent, as values change. */
import type { WorkspaceAgentMetadata } from "#codersdk/workspaceagents.ts";
import { mentionsAgent, metadataChannel } from "../agentapi/channels.ts";
import type { Ctx } from "../ctx.ts";
import type { WorkspaceAgentMetadata as MetadataRow } from "../database/gen/models.gen.ts";
import type { WorkspaceAgentDeps } from "./deps.ts";
import { changes } from "./follow.ts";

/** Ages move without messages. */
const refreshMs = 5000;
const restMs = 1000;

function toMetadata(row: MetadataRow, now: Date): WorkspaceAgentMetadata {
  const collected = row.collectedAt;
  return {
    result: {
      collected_at: collected ?? new Date(yearOne),
      age: collected ? Math.max(0, Math.floor((now.getTime() - collected.getTime()) / 1000)) : never,
      value: row.value,
      error: row.error,
    },
    description: {
      display_name: row.displayName,
      key: row.key,
      script: row.script,
      interval: row.intervalSeconds,
      timeout: row.timeoutSeconds,
    },
  };
}

/** Age of what was never collected: the longest time that Go knows, in seconds. */
const never = 9_223_372_036;
/** Go's zero time. */
const yearOne = -62_135_596_800_000;

/** At once, at most once a second on change, every 5 s in any case. */
export async function* watchMetadata(
  deps: WorkspaceAgentDeps,
  ctx: Ctx,
  agentId: string,
): AsyncGenerator<{ readonly type: "data"; readonly data: WorkspaceAgentMetadata[] }> {
  const { pubsub, clock, store } = deps;
  const follow = changes({
    pubsub,
    clock,
    channel: metadataChannel,
    concerns: (payload) => mentionsAgent(payload, agentId),
    pollMs: refreshMs,
    restMs,
    signal: ctx.signal,
  });
  for await (const _ of follow) {
    const rows = await store.getWorkspaceAgentMetadataRows(ctx, { agentId });
    yield { type: "data", data: rows.map((row) => toMetadata(row, clock.now())) };
  }
}

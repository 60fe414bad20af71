/** Statistics of an agent (spec agent §11): one row for each report, and the workspace counts as used. */
import type { Stats } from "#rpc/gen/agent_pb.js";
import type { Ctx } from "../ctx.ts";
import { publishWorkspaceEvent } from "../wspubsub/wspubsub.ts";
import { bumpActivity } from "../workspacestats/bump.ts";
import type { AgentApiDeps, AgentIdentity } from "./deps.ts";

/** Protocols in one report; each is a key of a JSON column. */
const maxProtocols = 16;
const maxCount = BigInt(Number.MAX_SAFE_INTEGER);

export async function storeStats(
  deps: AgentApiDeps,
  ctx: Ctx,
  { identity, stats }: { readonly identity: AgentIdentity; readonly stats: Stats },
): Promise<void> {
  const { agentId, workspaceId, ownerId, templateId } = identity;
  const now = ctx.now();
  const latency = stats.connectionMedianLatencyMs;
  deps.workspaceStats.addStats({
    id: deps.rand.uuid(),
    createdAt: now,
    userId: ownerId,
    agentId,
    workspaceId,
    templateId,
    connectionsByProto: Object.fromEntries(
      Object.entries(stats.connectionsByProto)
        .slice(0, maxProtocols)
        .map(([name, value]) => [name.slice(0, 32).replaceAll("\0", ""), count(value)]),
    ),
    connectionCount: count(stats.connectionCount),
    rxPackets: count(stats.rxPackets),
    rxBytes: count(stats.rxBytes),
    txPackets: count(stats.txPackets),
    txBytes: count(stats.txBytes),
    connectionMedianLatencyMs: Number.isFinite(latency) ? latency : -1,
    sessionCountVscode: count(stats.sessionCountVscode),
    sessionCountJetbrains: count(stats.sessionCountJetbrains),
    sessionCountReconnectingPty: count(stats.sessionCountReconnectingPty),
    sessionCountSsh: count(stats.sessionCountSsh),
  });
  if (stats.connectionCount <= 0n) return;
  deps.workspaceStats.used(workspaceId, now);
  await bump(deps, ctx, workspaceId);
  await publishWorkspaceEvent(deps.pubsub, ownerId, { kind: "stats_update", workspaceId, agentId });
}

/** A deadline that could not be moved is no reason to refuse the report. */
async function bump(deps: AgentApiDeps, ctx: Ctx, workspaceId: string): Promise<void> {
  try {
    await bumpActivity(deps.store, ctx, { workspaceId, heedAutostart: true });
  } catch (error) {
    ctx.log.warn("a workspace's deadline could not be moved", { workspaceId, error });
  }
}

/** What a client claims, as a number that a row can hold. */
function count(value: bigint): number {
  if (value < 0n) return 0;
  return Number(value > maxCount ? maxCount : value);
}

/**
 * Lines of an agent's log (spec agent §9): the DRPC call and its REST twin. A batch is stored whole or not at all; the
 * agent's log holds at most 1 MiB; once a batch of the agent's stream did not fit, no further one is taken.
 */
import type { Ctx } from "../ctx.ts";
import type { LogLevel } from "../database/gen/models.gen.ts";
import { publishWorkspaceEvent } from "../wspubsub/wspubsub.ts";
import { agentLogsChannel } from "./channels.ts";
import type { AgentApiDeps, AgentIdentity } from "./deps.ts";

/** Lines that come without a source. */
const externalSource = {
  id: "3b579bf4-1ed8-4b99-87a8-e9a1e3410410",
  displayName: "External",
  icon: "/emojis/1f310.png",
} as const;

export interface LogLine {
  readonly level: LogLevel;
  readonly output: string;
}

type LogDeps = Pick<AgentApiDeps, "store" | "pubsub">;

/** `ctx` acts as the agent API. Undefined source: the external one. Full: nothing is stored. */
export async function storeLogs(
  deps: LogDeps,
  ctx: Ctx,
  batch: {
    readonly agent: Pick<AgentIdentity, "agentId" | "ownerId" | "workspaceId">;
    readonly sourceId: string | undefined;
    readonly lines: readonly LogLine[];
    /** Takes what still fits, although the agent's own stream has been refused once. @default false */
    readonly afterOverflow?: boolean;
  },
): Promise<"stored" | "full"> {
  const { agentId, ownerId, workspaceId } = batch.agent;
  if (batch.lines.length === 0) return "stored";
  const now = ctx.now();
  if (batch.sourceId === undefined) {
    await deps.store.insertAgentLogSource(ctx, { agentId, now, ...externalSource });
  }
  const outputs = batch.lines.map(({ output }) => output.replaceAll(/[\0\uD800-\uDFFF]/gu, "\u274C"));
  const length = outputs.reduce((sum, output) => sum + Buffer.byteLength(output), 0);
  const event = (kind: "agt_first_logs" | "agt_logs_overflow"): Promise<void> =>
    publishWorkspaceEvent(deps.pubsub, ownerId, { kind, workspaceId, agentId });
  return deps.store.inTx(ctx, {}, async (tx) => {
    const room = await tx.addAgentLogLength(ctx, {
      agentId,
      length,
      afterOverflow: batch.afterOverflow ?? false,
    });
    if (!room) {
      await tx.updateAgentLogsOverflowed(ctx, { agentId, now });
      tx.afterCommit(() => event("agt_logs_overflow"));
      return "full";
    }
    const ids = await tx.insertAgentLogLines(ctx, {
      agentId,
      logSourceId: batch.sourceId ?? externalSource.id,
      now,
      levels: batch.lines.map(({ level }) => level),
      outputs,
    });
    const lowest = Math.min(...ids.map(({ id }) => id));
    tx.afterCommit(() =>
      deps.pubsub.publish(agentLogsChannel(agentId), JSON.stringify({ created_after: lowest - 1 })),
    );
    if (room.logsLength === length) tx.afterCommit(() => event("agt_first_logs"));
    return "stored";
  });
}

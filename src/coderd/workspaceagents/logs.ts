/** Log of an agent: all of it, or followed until the agent's build is no longer the workspace's latest. */
import type { WorkspaceAgentLog } from "#codersdk/workspaceagents.ts";
import { agentLogsChannel } from "../agentapi/channels.ts";
import type { Ctx } from "../ctx.ts";
import type { WorkspaceAgentLog as LogRow } from "../database/gen/models.gen.ts";
import { NotFound } from "../errors.ts";
import type { WorkspaceAgentDeps } from "./deps.ts";
import { changes } from "./follow.ts";

const pollMs = 60_000;
/** Rows of one message: with their bound of 1 MiB in all, a log is a few of these. */
const pageRows = 5000;

function toLog(row: LogRow): WorkspaceAgentLog {
  return {
    id: row.id,
    created_at: row.createdAt,
    output: row.output,
    level: row.level,
    source_id: row.logSourceId,
  };
}

type LogDeps = Pick<WorkspaceAgentDeps, "store" | "pubsub" | "clock">;

export async function readLogs(
  deps: LogDeps,
  ctx: Ctx,
  agentId: string,
  after: number,
): Promise<WorkspaceAgentLog[]> {
  const lines: WorkspaceAgentLog[] = [];
  let last = after;
  for (;;) {
    const rows = await deps.store.getWorkspaceAgentLogsAfter(ctx, {
      agentId,
      after: last,
      maxRows: pageRows,
    });
    for (const row of rows) lines.push(toLog(row));
    last = rows.at(-1)?.id ?? last;
    if (rows.length < pageRows) return lines;
  }
}

/** First everything there is (even nothing), then what comes. Rights are asked anew with each read. */
export async function* followLogs(
  deps: LogDeps,
  ctx: Ctx,
  { agentId, after }: { readonly agentId: string; readonly after: number },
): AsyncGenerator<WorkspaceAgentLog[]> {
  const { pubsub, clock } = deps;
  let last = after;
  let first = true;
  for await (const _ of changes({
    pubsub,
    clock,
    channel: agentLogsChannel(agentId),
    pollMs,
    signal: ctx.signal,
  })) {
    // Asked before the read: what an agent wrote before it was replaced is still shown.
    const current = await isLatest(deps, ctx, agentId);
    const lines = await readLogs(deps, ctx, agentId, last);
    last = lines.at(-1)?.id ?? last;
    if (lines.length > 0 || first) yield lines;
    first = false;
    if (!current) return;
  }
}

async function isLatest(deps: LogDeps, ctx: Ctx, agentId: string): Promise<boolean> {
  try {
    return (await deps.store.getWorkspaceAgentById(ctx, { id: agentId })).latest === true;
  } catch (error) {
    if (error instanceof NotFound) return false;
    throw error;
  }
}

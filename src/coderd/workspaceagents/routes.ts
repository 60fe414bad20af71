/** Agents as people see them: one agent, its log, its metadata. */
import { WorkspaceAgentLog, WorkspaceAgentMetadata, workspaceagents } from "#codersdk/workspaceagents.ts";
import * as w from "#codersdk/wire.ts";
import type { Ctx } from "../ctx.ts";
import { Invalid } from "../errors.ts";
import { bind, type BoundRoute, type Req } from "../httpapi/bind.ts";
import { eventStream, jsonStream, rawReply } from "../httpapi/reply.ts";
import type { WorkspaceAgentDeps } from "./deps.ts";
import { agentRoutes } from "./agent-routes.ts";
import { findAgent } from "./find.ts";
import { followLogs, readLogs } from "./logs.ts";
import { watchMetadata } from "./metadata.ts";

interface LogQuery {
  readonly after: number;
  readonly follow: boolean;
  readonly format: string;
}

export function routes(deps: WorkspaceAgentDeps): BoundRoute[] {
  const { store } = deps;

  async function logs(ctx: Ctx, id: string, query: LogQuery) {
    const { a } = await store.getWorkspaceAgentById(ctx, { id });
    const { after, follow, format } = query;
    if (format !== "" && format !== "json" && format !== "text") {
      throw new Invalid("Invalid format parameter.", {
        detail: `must be json or text: received ${JSON.stringify(format)}`,
      });
    }
    if (follow) {
      if (format === "text") {
        throw new Invalid("Logs cannot be followed as text.", {
          detail: "Ask for format=json, or do not follow.",
        });
      }
      return jsonStream(w.list(WorkspaceAgentLog), (signal) =>
        followLogs(deps, ctx.until(signal), { agentId: a.id, after }),
      );
    }
    const lines = await readLogs(deps, ctx, a.id, after);
    if (format !== "text") return lines;
    return rawReply(200, lines.map(textLine).join(""), {
      headers: { "content-type": "text/plain; charset=utf-8" },
    });
  }

  return [
    ...agentRoutes(deps),
    bind(workspaceagents.get, (ctx, request) => findAgent(deps, ctx, request.params.workspaceagent)),
    bind(workspaceagents.logs, (ctx, request) => logs(ctx, request.params.workspaceagent, logQuery(request))),
    bind(workspaceagents.startupLogs, (ctx, request) =>
      logs(ctx, request.params.workspaceagent, logQuery(request)),
    ),
    bind(workspaceagents.watchMetadata, async (ctx, request) => {
      const { a } = await store.getWorkspaceAgentById(ctx, { id: request.params.workspaceagent });
      return eventStream("sse", w.list(WorkspaceAgentMetadata), (signal) =>
        watchMetadata(deps, ctx.until(signal), a.id),
      );
    }),
    bind(workspaceagents.watchMetadataWs, async (ctx, request) => {
      const { a } = await store.getWorkspaceAgentById(ctx, { id: request.params.workspaceagent });
      return eventStream("websocket", w.list(WorkspaceAgentMetadata), (signal) =>
        watchMetadata(deps, ctx.until(signal), a.id),
      );
    }),
  ];
}

/** `follow` alone means yes. */
function logQuery(request: Req<typeof workspaceagents.logs | typeof workspaceagents.startupLogs>): LogQuery {
  const { after, follow, format } = request.query();
  return { after, follow: follow || request.search.get("follow") === "", format };
}

function textLine({ created_at: at, level, output }: w.Infer<typeof WorkspaceAgentLog>): string {
  return `${at.toISOString()} [${level}] ${output}\n`;
}

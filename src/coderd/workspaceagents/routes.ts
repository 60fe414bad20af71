/** Agents as people see them: one agent, its log, its metadata. */
import { WorkspaceAgentLog, WorkspaceAgentMetadata, workspaceagents } from "#codersdk/workspaceagents.ts";
import * as w from "#codersdk/wire.ts";
import type { Ctx } from "../ctx.ts";
import { Invalid, NotFound } from "../errors.ts";
import { bind, type BoundRoute } from "../httpapi/bind.ts";
import { eventStream, jsonStream, rawReply } from "../httpapi/reply.ts";
import { loadResources } from "../workspaceview/load.ts";
import type { WorkspaceAgentDeps } from "./deps.ts";
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
    if (after < 0) throw new Invalid('Query parameter "after" must not be negative.');
    if (format !== "" && format !== "json" && format !== "text") {
      throw new Invalid(`Query parameter "format" must be json or text: received ${JSON.stringify(format)}.`);
    }
    if (follow) {
      if (format === "text") throw new Invalid("Text cannot be followed: ask for format=json.");
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
    bind(workspaceagents.get, async (ctx, request) => {
      const id = request.params.workspaceagent;
      const { jobId } = await store.getWorkspaceAgentById(ctx, { id });
      for (const resource of await loadResources(deps, ctx, jobId)) {
        const agent = (resource.agents ?? []).find((candidate) => candidate.id === id);
        if (agent) return agent;
      }
      throw new NotFound();
    }),
    bind(workspaceagents.logs, (ctx, request) =>
      logs(ctx, request.params.workspaceagent, defaults(request.query())),
    ),
    bind(workspaceagents.startupLogs, (ctx, request) =>
      logs(ctx, request.params.workspaceagent, defaults(request.query())),
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

function defaults(query: {
  readonly after?: number | undefined;
  readonly follow?: boolean | undefined;
  readonly format?: string | undefined;
}): LogQuery {
  return { after: query.after ?? 0, follow: query.follow ?? false, format: query.format ?? "" };
}

function textLine({ created_at: at, level, output }: w.Infer<typeof WorkspaceAgentLog>): string {
  return `${at.toISOString()} [${level}] ${output}\n`;
}

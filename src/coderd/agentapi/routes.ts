/** What agents ask over HTTP: the RPC connection, and the REST twins that third parties use. */
import { workspaceagents } from "#codersdk/workspaceagents.ts";
import { joinRouters, serveSession } from "#rpc/drpc/server.ts";
import { YamuxSession } from "#rpc/yamux/session.ts";
import type { Ctx } from "../ctx.ts";
import { ApiError, Invalid } from "../errors.ts";
import { bind, type BoundRoute } from "../httpapi/bind.ts";
import { byteStream, reply } from "../httpapi/reply.ts";
import type { AgentCaller } from "../httpmw/caller.ts";
import { actors } from "../rbac/actors.ts";
import { checkVersion } from "../tailnet/version.ts";
import { tailnetRouter } from "../tailnet/service.ts";
import type { AgentApiDeps, AgentIdentity } from "./deps.ts";
import { storeLogs } from "./logs.ts";
import { monitor } from "./monitor.ts";
import { agentRouter } from "./service.ts";

const self = (ctx: Ctx): Ctx => ctx.as(actors.agentApi, "an agent reports of itself");

function identityOf(caller: AgentCaller, apiVersion: string): AgentIdentity {
  const { agentId, workspaceId, ownerId, templateId } = caller;
  return { agentId, workspaceId, ownerId, templateId, apiVersion };
}

export function routes(deps: AgentApiDeps): BoundRoute[] {
  return [
    bind(workspaceagents.rpc, async (ctx, request) => {
      const { version, role } = request.query();
      checkVersion(version ?? "", oldestVersion);
      const identity = identityOf(request.caller, version || oldestVersion);
      const router = joinRouters(
        agentRouter(deps, self(ctx), identity),
        tailnetRouter(deps.network, {
          id: identity.agentId,
          auth: { kind: "agent", id: identity.agentId },
        }),
      );
      // Anything else that signs in with an agent's token (a log collector) says nothing about the agent.
      const monitored = role === undefined || role === "" || role === "agent";
      return byteStream(async (stream, signal) => {
        const session = YamuxSession.start(stream, { role: "server", clock: deps.clock });
        const end = (): void => session.close();
        signal.addEventListener("abort", end, { once: true });
        const watched = monitored
          ? monitor(deps, { agent: identity, session, ctx: self(ctx) })
          : Promise.resolve();
        try {
          await serveSession(session, router);
        } finally {
          session.close();
          signal.removeEventListener("abort", end);
          await watched;
        }
      });
    }),

    bind(workspaceagents.postLogSource, async (ctx, request) => {
      const { id, display_name: displayName, icon } = request.body();
      const { agentId } = request.caller;
      const now = ctx.now();
      await deps.store.insertAgentLogSource(self(ctx), { agentId, id, displayName, icon, now });
      return reply(201, {
        workspace_agent_id: agentId,
        id,
        created_at: now,
        display_name: displayName,
        icon,
      });
    }),

    bind(workspaceagents.patchLogs, async (ctx, request) => {
      const { log_source_id: source, logs } = request.body();
      if (logs === undefined || logs.length === 0) throw new Invalid("No logs provided.");
      const result = await storeLogs(deps, self(ctx), {
        agent: request.caller,
        sourceId: source === nilUuid ? undefined : source,
        lines: logs.map(({ level, output }) => ({ level: level ?? "info", output })),
      });
      if (result === "full") throw new ApiError(413, "TooLarge", "Logs limit exceeded");
      return reply(200, { message: "The lines are stored." });
    }),
  ];
}

/** What agents speak that name no version. */
const oldestVersion = "2.0";
const nilUuid = "00000000-0000-0000-0000-000000000000";

/** What agents ask over HTTP: the RPC connection, and the REST twins that third parties use. */
import { LogLevel } from "#codersdk/provisionerjobs.ts";
import { ReinitializationEvent, workspaceagents } from "#codersdk/workspaceagents.ts";
import { joinRouters, serveSession } from "#rpc/drpc/server.ts";
import { YamuxSession } from "#rpc/yamux/session.ts";
import type { Ctx } from "../ctx.ts";
import { ApiError, Conflict, Invalid } from "../errors.ts";
import { bind, type BoundRoute } from "../httpapi/bind.ts";
import { byteStream, eventStream, reply } from "../httpapi/reply.ts";
import type { AgentCaller } from "../httpmw/caller.ts";
import { actors } from "../rbac/actors.ts";
import { checkVersion } from "../tailnet/version.ts";
import { tailnetRouter } from "../tailnet/service.ts";
import { storeAppStatus } from "./appstatus.ts";
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
      const lines = logs.map(({ level, output }) => ({ level: logLevel(level), output }));
      const sourceId = source === nilUuid ? undefined : source;
      const batch = { agent: request.caller, sourceId, lines, afterOverflow: true };
      const result = await storeLogs(deps, self(ctx), batch);
      if (result === "full") throw new ApiError(413, "TooLarge", "Logs limit exceeded");
      return reply(200, null);
    }),

    bind(workspaceagents.patchAppStatus, async (ctx, request) => {
      const { app_slug: slug, state, message, uri } = request.body();
      await storeAppStatus(deps, self(ctx), request.caller, { slug, state, message, uri });
      return reply(200, null);
    }),

    // Acts as the owner with the agent's scope: a template may have taken the owner's own data out of it.
    bind(workspaceagents.gitSshKey, async (ctx, { caller }) => {
      const key = await deps.store.getGitSshKey(ctx, { userId: caller.ownerId });
      return { public_key: key.publicKey, private_key: key.privateKey };
    }),

    bind(workspaceagents.reinit, (_ctx, request) => {
      if (request.query().wait) {
        // Only the agent of a workspace that nobody owns yet has something to wait for.
        throw new Conflict("This workspace has its owner already: its agent need not start anew.");
      }
      return eventStream("sse", ReinitializationEvent, async function* events(signal) {
        yield { type: "ping" };
        await new Promise<void>((resolve) =>
          signal.addEventListener("abort", () => resolve(), { once: true }),
        );
      });
    }),
  ];
}

function logLevel(text: string): LogLevel {
  if (text === "") return "info";
  const level = LogLevel.safeParse(text);
  if (level.success) return level.data;
  throw new Invalid("Invalid log level provided.", {
    detail: `must be one of ${LogLevel.options.join(", ")}: received ${JSON.stringify(text.slice(0, 64))}`,
  });
}

/** What agents speak that name no version. */
const oldestVersion = "2.0";
const nilUuid = "00000000-0000-0000-0000-000000000000";

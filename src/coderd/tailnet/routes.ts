/** How clients reach agents: connection info, the coordination stream of one agent, the feed of relays. */
import { pipeline } from "node:stream/promises";
import { encodePtyInit } from "#codersdk/workspacesdk/pty-protocol.ts";
import { agentPort } from "#tailnet/addresses.ts";
import { workspaceagents } from "#codersdk/workspaceagents.ts";
import type { Rand } from "#cryptorand/cryptorand.ts";
import type { Clock } from "#quartz/clock.ts";
import { derpMapToJson } from "#net/derp/map.ts";
import { YamuxSession } from "#rpc/yamux/session.ts";
import { serveSession } from "#rpc/drpc/server.ts";
import { resumeKeyId, verifyResumeToken } from "#tailnet/resume.ts";
import * as w from "#codersdk/wire.ts";
import type { Ctx } from "../ctx.ts";
import type { AuthzStore } from "../database/dbauthz/dbauthz.ts";
import { workspace as workspaceKind } from "../database/dbauthz/kinds.ts";
import type { SshClientConfig } from "../deployment/routes.ts";
import { Conflict, invalidField, NotFound, Unauthorized } from "../errors.ts";
import { bind, type BoundRoute } from "../httpapi/bind.ts";
import { byteStream, jsonStream } from "../httpapi/reply.ts";
import { can } from "../rbac/subject.ts";
import { agentConnection } from "../workspaceview/agent.ts";
import type { ServerNetwork } from "./network.ts";
import { tailnetRouter } from "./service.ts";
import { checkVersion } from "./version.ts";

export interface TailnetRoutesDeps {
  /** An agent that was silent for longer counts as disconnected. */
  readonly agentInactiveMs: number;
  readonly store: AuthzStore;
  readonly clock: Clock;
  readonly rand: Rand;
  readonly network: ServerNetwork;
  readonly ssh: SshClientConfig;
}

const keepAliveMs = 15_000;

export function routes(deps: TailnetRoutesDeps): BoundRoute[] {
  const { store, network } = deps;
  const info = () => ({
    derp_map: derpMapToJson(network.derpMap()),
    derp_force_websockets: network.config.forceWebSockets,
    disable_direct_connections: network.config.blockDirect,
    hostname_suffix: deps.ssh.hostnameSuffix,
  });

  return [
    bind(workspaceagents.connectionGeneric, () => info()),
    bind(workspaceagents.connection, async (ctx, req) => {
      await mustSsh(store, ctx, req.params.workspaceagent);
      return info();
    }),
    bind(workspaceagents.coordinate, async (ctx, req) => {
      const { workspaceagent: agentId } = req.params;
      await mustSsh(store, ctx, agentId);
      if (network.config.browserOnly) {
        throw new Conflict("This deployment allows connections through the browser only.");
      }
      checkVersion(req.query().version, "1.0");
      const id = await peerId(deps, req.query().resume_token);
      const router = tailnetRouter(network, {
        id,
        auth: { kind: "client", agentId },
        name: ctx.actor.friendlyName,
      });
      return byteStream(async (stream, signal) => {
        const session = YamuxSession.start(stream, { role: "server", clock: deps.clock, keepAliveMs });
        signal.addEventListener("abort", () => session.close(), { once: true });
        await serveSession(session, router);
      });
    }),
    bind(workspaceagents.pty, async (ctx, req) => {
      const { workspaceagent: agentId } = req.params;
      await mustSsh(store, ctx, agentId);
      const query = req.query();
      if (query.reconnect === undefined) {
        throw invalidField(
          "The terminal has no id.",
          "reconnect",
          "a UUID is needed to find the terminal again",
        );
      }
      await mustBeConnected(deps, ctx, agentId);
      const init = encodePtyInit({
        id: query.reconnect,
        height: side(query.height, 80),
        width: side(query.width, 80),
        command: query.command,
        container: query.container,
        containerUser: query.container_user,
        backendType: query.backend_type,
      });
      return byteStream(async (stream, signal) => {
        const terminal = await network.dialAgent(agentId, agentPort.reconnectingPty, { signal });
        terminal.write(init);
        // Whichever side ends first ends the other.
        await Promise.race([pipeline(stream, terminal), pipeline(terminal, stream, { end: false })]);
        terminal.destroy();
      });
    }),
    bind(workspaceagents.derpMap, () =>
      jsonStream(
        w.json(),
        async function* maps(signal) {
          yield derpMapToJson(network.derpMap());
          await new Promise<void>((resolve) =>
            signal.addEventListener("abort", () => resolve(), { once: true }),
          );
        },
        { binary: true },
      ),
    ),
  ];
}

/** Rows or columns; anything that is none counts as not given. */
function side(text: string, otherwise: number): number {
  const value = Number(text);
  return Number.isInteger(value) && value > 0 && value <= 0xffff ? value : otherwise;
}

/** The id that the token vouches for, else a new one. */
async function peerId({ rand, clock, network }: TailnetRoutesDeps, token: string): Promise<string> {
  if (token === "") return rand.uuid();
  const kid = resumeKeyId(token);
  const key = kid === undefined ? undefined : await network.resumeKeyById(kid);
  const verdict = verifyResumeToken(key ? [key] : [], token, clock.now());
  if (verdict.kind === "valid") return verdict.peerId;
  if (verdict.kind === "absent") return rand.uuid();
  const detail = "Invalid resume token";
  throw new Unauthorized(detail, { validations: [{ field: "resume_token", detail }] });
}

/** Who may not ssh is told that there is no such agent. */
async function mustSsh(store: AuthzStore, ctx: Ctx, agentId: string): Promise<void> {
  const row = await store.getWorkspaceToDial(ctx, { agentId });
  if (row === undefined || !can(ctx.actor, "ssh", workspaceKind.of(row.w))) {
    throw new NotFound("Agent doesn't exist with that id, or you do not have access to it.");
  }
}

/** Before the socket is accepted, so that the refusal is an answer that a client can read. */
async function mustBeConnected(
  { store, agentInactiveMs }: TailnetRoutesDeps,
  ctx: Ctx,
  agentId: string,
): Promise<void> {
  const { a } = await store.getWorkspaceAgentById(ctx, { id: agentId });
  const { status } = agentConnection(
    {
      ...a,
      firstConnectedAt: a.firstConnectedAt ?? undefined,
      lastConnectedAt: a.lastConnectedAt ?? undefined,
      disconnectedAt: a.disconnectedAt ?? undefined,
    },
    ctx.now(),
    agentInactiveMs,
  );
  if (status !== "connected") throw new NotFound(`The agent is not connected: it is "${status}".`);
}

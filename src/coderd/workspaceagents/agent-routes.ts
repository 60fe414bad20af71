/** What the server asks agents for on behalf of people: listening ports, containers. The agent must be connected. */
import { WorkspaceAgentListContainersResponse } from "#codersdk/containers.ts";
import {
  WorkspaceAgentListeningPortsResponse,
  workspaceagents,
  type WorkspaceAgent,
} from "#codersdk/workspaceagents.ts";
import { Response } from "#codersdk/response.ts";
import { decode } from "#codersdk/wire-decode.ts";
import type { Infer, Schema } from "#codersdk/wire.ts";
import type { Ctx } from "../ctx.ts";
import { workspace as workspaceKind } from "../database/dbauthz/kinds.ts";
import { ApiError, Forbidden, Invalid } from "../errors.ts";
import { bind, type BoundRoute } from "../httpapi/bind.ts";
import { jsonStream, noBody, reply } from "../httpapi/reply.ts";
import { can } from "../rbac/subject.ts";
import { type AgentCall, type AgentCallDeps, callAgent } from "./agent-http.ts";
import type { WorkspaceAgentDeps } from "./deps.ts";
import { findAgent } from "./find.ts";
import { portsToShow } from "./ports.ts";

const containersPath = "/api/v0/containers";
/** Agents look for containers this often. */
const pollMs = 10_000;

export function agentRoutes(deps: WorkspaceAgentDeps): BoundRoute[] {
  const containers = (ctx: Ctx, agentId: string) =>
    ask(deps, { agentId, method: "GET", path: containersPath, signal: ctx.signal }, containersAnswer);

  return [
    bind(workspaceagents.listeningPorts, async (ctx, { params }) => {
      const agent = await connectedAgent(deps, ctx, params.workspaceagent);
      const path = "/api/v0/listening-ports";
      const call: AgentCall = { agentId: agent.id, method: "GET", path, signal: ctx.signal };
      const { ports } = await ask(deps, call, WorkspaceAgentListeningPortsResponse);
      return { ports: portsToShow(ports ?? [], agent.apps ?? []) };
    }),

    bind(workspaceagents.containers, async (ctx, request) => {
      const agent = await connectedAgent(deps, ctx, request.params.workspaceagent);
      const labels = request.query().label.map(readLabel);
      const answer = await containers(ctx, agent.id);
      const has = (own: Readonly<Record<string, string>> | null): boolean =>
        labels.every(([name, value]) => own?.[name] === value);
      return { ...answer, containers: (answer.containers ?? []).filter((one) => has(one.labels)) };
    }),

    bind(workspaceagents.watchContainers, async (ctx, { params }) => {
      const agent = await connectedAgent(deps, ctx, params.workspaceagent);
      // Asked before the socket is accepted, so that a refusal is an answer that a client can read.
      const first = await containers(ctx, agent.id);
      return jsonStream(containersAnswer, async function* watch(signal) {
        yield first;
        let last = JSON.stringify(first);
        for await (const _ of deps.clock.ticks(pollMs, { signal, tag: "containers", unref: true })) {
          const next = await containers(ctx.until(signal), agent.id);
          const text = JSON.stringify(next);
          if (text !== last) yield next;
          last = text;
        }
      });
    }),

    bind(workspaceagents.recreateDevcontainer, async (ctx, { params }) => {
      const agent = await connectedAgent(deps, ctx, params.workspaceagent);
      await mustUpdate(deps, ctx, agent.id);
      const path = `${containersPath}/devcontainers/${encodeURIComponent(params.devcontainer)}/recreate`;
      return reply(
        202,
        await ask(deps, { agentId: agent.id, method: "POST", path, signal: ctx.signal }, Response),
      );
    }),

    bind(workspaceagents.deleteDevcontainer, async (ctx, { params }) => {
      const agent = await connectedAgent(deps, ctx, params.workspaceagent);
      await mustUpdate(deps, ctx, agent.id);
      const path = `${containersPath}/devcontainers/${encodeURIComponent(params.devcontainer)}`;
      refuseErrors(await callAgent(deps, { agentId: agent.id, method: "DELETE", path, signal: ctx.signal }));
      return noBody(204);
    }),
  ];
}

const containersAnswer = WorkspaceAgentListContainersResponse;

async function connectedAgent(deps: WorkspaceAgentDeps, ctx: Ctx, id: string): Promise<WorkspaceAgent> {
  const agent = await findAgent(deps, ctx, id);
  if (agent.status !== "connected") {
    throw new Invalid(`The agent is not connected: it is "${agent.status}".`);
  }
  return agent;
}

async function mustUpdate(deps: WorkspaceAgentDeps, ctx: Ctx, agentId: string): Promise<void> {
  const row = await deps.store.getWorkspaceToDial(ctx, { agentId });
  if (row === undefined || !can(ctx.actor, "update", workspaceKind.of(row.w))) throw new Forbidden();
}

async function ask<S extends Schema>(deps: AgentCallDeps, call: AgentCall, schema: S): Promise<Infer<S>> {
  const answer = await callAgent(deps, call);
  refuseErrors(answer);
  try {
    return decode(schema, answer.body, { lenient: true });
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    throw new ApiError(502, "BadGateway", "The agent's answer makes no sense.", { detail });
  }
}

/** What an agent refuses is passed on; a redirect or another success than the expected ones is no answer. */
function refuseErrors({ status, body }: { readonly status: number; readonly body: unknown }): void {
  if (status >= 200 && status < 300) return;
  const message = textOf(body, "message") ?? "The agent refused.";
  const detail = textOf(body, "detail");
  throw new ApiError(
    status >= 400 && status < 600 ? status : 502,
    "AgentRefused",
    message,
    detail ? { detail } : {},
  );
}

const maxText = 4096;

function textOf(body: unknown, name: string): string | undefined {
  const value: unknown = typeof body === "object" && body !== null ? Reflect.get(body, name) : undefined;
  return typeof value === "string" && value !== "" ? value.slice(0, maxText) : undefined;
}

function readLabel(text: string): [string, string] {
  const at = text.indexOf("=");
  if (at < 1) {
    throw new Invalid("Invalid label format.", {
      detail: `must be key=value: received ${JSON.stringify(text)}`,
    });
  }
  return [text.slice(0, at), text.slice(at + 1)];
}

/**
 * Keeps the connected state of one agent's connection: writes when it came, that it is still there, and when it went;
 * closes a connection that answers no pings, or whose build is not the workspace's latest any more (spec agent §4).
 */
import type { YamuxSession } from "#rpc/yamux/session.ts";
import { newCtx, type Ctx } from "../ctx.ts";
import { publishWorkspaceEvent } from "../wspubsub/wspubsub.ts";
import type { AgentApiDeps, AgentIdentity } from "./deps.ts";

export const periodMs = 15_000;
const silenceMs = 2 * periodMs;

export interface MonitorOptions {
  readonly agent: AgentIdentity;
  readonly session: Pick<YamuxSession, "ping" | "close" | "signal">;
  /** Acts as the agent API; its signal ends with the server. */
  readonly ctx: Ctx;
}

/** Resolves when the connection has ended and that is written down. Never rejects. */
export async function monitor(deps: AgentApiDeps, options: MonitorOptions): Promise<void> {
  const { session, ctx } = options;
  const signal = AbortSignal.any([session.signal, ctx.signal]);
  try {
    await connected(deps, options);
    await publish(deps, options);
    let lastPong = deps.clock.monotonic();
    const ping = (): void => {
      session.ping().then(
        () => (lastPong = deps.clock.monotonic()),
        () => {},
      );
    };
    ping();
    for await (const _ of deps.clock.ticks(periodMs, { signal, tag: "agent monitor" })) {
      if (deps.clock.monotonic() - lastPong > silenceMs) {
        ctx.log.info("agent connection closed: ping timeout", { agentId: options.agent.agentId });
        break;
      }
      ping();
      await connected(deps, options);
      const { current } = await deps.store.getAgentForConnection(ctx, { agentId: options.agent.agentId });
      if (!current) {
        ctx.log.info("agent connection closed: build is outdated", { agentId: options.agent.agentId });
        break;
      }
    }
  } catch (error) {
    ctx.log.warn("agent monitor failed", { agentId: options.agent.agentId, error });
  } finally {
    session.close();
    await disconnected(deps, options);
  }
}

async function connected(deps: AgentApiDeps, { agent, ctx }: MonitorOptions): Promise<void> {
  await deps.store.updateAgentConnection(ctx, {
    agentId: agent.agentId,
    now: deps.clock.now(),
    replicaId: deps.replicaId,
  });
}

/** With a signal of its own: the connection's has ended. */
async function disconnected(deps: AgentApiDeps, options: MonitorOptions): Promise<void> {
  const late = new AbortController();
  const timer = deps.clock.timer(30_000, () => late.abort(new Error("writing took too long")), {
    unref: true,
  });
  const ctx = newCtx({ ...options.ctx, signal: late.signal });
  try {
    await deps.store.updateAgentDisconnected(ctx, { agentId: options.agent.agentId, now: deps.clock.now() });
    await publish(deps, options);
  } catch (error) {
    ctx.log.warn("an agent's end could not be written", { agentId: options.agent.agentId, error });
  } finally {
    timer.stop();
  }
}

function publish(deps: AgentApiDeps, { agent }: MonitorOptions): Promise<void> {
  const { ownerId, workspaceId, agentId } = agent;
  return publishWorkspaceEvent(deps.pubsub, ownerId, { kind: "agt_connection_update", workspaceId, agentId });
}

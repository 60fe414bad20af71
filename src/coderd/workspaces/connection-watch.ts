/** For whoever waits to connect: the latest build when it changes, then the agent when it changes. */
import { type ConnectionWatchEvent, ConnectionWatchEvent as schema } from "#codersdk/workspaces.ts";
import type { Ctx } from "../ctx.ts";
import { NotFound } from "../errors.ts";
import { jsonStream, type JsonStream } from "../httpapi/reply.ts";
import { findWorkspace, loadWorkspace } from "../workspaceview/load.ts";
import type { WorkspaceViewRow } from "../workspaceview/view.ts";
import { type WatchDeps, whenChanged } from "./watch.ts";

export function watchConnection(
  deps: WatchDeps,
  ctx: Ctx,
  row: WorkspaceViewRow,
  agentName: string,
): JsonStream {
  return jsonStream(schema, (signal) => events(deps, ctx.until(signal), row, agentName));
}

/** Codes of errors that clients know. */
const workspaceGone = 1;

async function* events(
  deps: WatchDeps,
  ctx: Ctx,
  { w }: WorkspaceViewRow,
  agentName: string,
): AsyncGenerator<ConnectionWatchEvent, void> {
  let lastBuild = "";
  let lastAgent = "";
  for await (const _ of whenChanged(deps, ctx, w)) {
    let workspace;
    try {
      workspace = await loadWorkspace(deps, ctx, await findWorkspace(deps, ctx, { id: w.id }));
    } catch (error) {
      if (!(error instanceof NotFound)) throw error;
      yield {
        error: { code: workspaceGone, retryable: false, message: error.message, details: undefined },
        build_update: undefined,
        agent_update: undefined,
      };
      return;
    }
    const { latest_build: latest } = workspace;
    const build = { transition: latest.transition, job_status: latest.job.status };
    const buildKey = JSON.stringify([latest.id, build]);
    if (buildKey !== lastBuild) {
      lastBuild = buildKey;
      yield { error: null, build_update: build, agent_update: undefined };
    }
    if (latest.transition !== "start" || latest.job.status !== "succeeded") continue;
    const agents = latest.resources.flatMap(({ agents: own }) => own ?? []);
    const agent = agents.find(({ name }) => agentName === "" || name === agentName);
    if (!agent) continue;
    const update = { lifecycle: agent.lifecycle_state, id: agent.id };
    const agentKey = JSON.stringify(update);
    if (agentKey === lastAgent) continue;
    lastAgent = agentKey;
    yield { error: null, build_update: undefined, agent_update: update };
  }
}

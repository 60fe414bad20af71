/** One agent as the API shows it. */
import type { WorkspaceAgent } from "#codersdk/workspaceagents.ts";
import type { Ctx } from "../ctx.ts";
import { NotFound } from "../errors.ts";
import { loadResources, type ViewDeps } from "../workspaceview/load.ts";

/** Throws `NotFound` for one that the caller may not read. */
export async function findAgent(deps: ViewDeps, ctx: Ctx, id: string): Promise<WorkspaceAgent> {
  const { jobId } = await deps.store.getWorkspaceAgentById(ctx, { id });
  for (const resource of await loadResources(deps, ctx, jobId)) {
    const agent = (resource.agents ?? []).find((candidate) => candidate.id === id);
    if (agent) return agent;
  }
  throw new NotFound();
}

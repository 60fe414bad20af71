/** When a workspace starts and stops by itself: autostart, time to live, and putting off the next stop. */
import { workspaces } from "#codersdk/workspaces.ts";
import type { Ctx } from "../ctx.ts";
import { Conflict, Invalid, invalidField } from "../errors.ts";
import { bind, type BoundRoute } from "../httpapi/bind.ts";
import { noBody } from "../httpapi/reply.ts";
import { actors } from "../rbac/actors.ts";
import { nextAllowedAutostart } from "../schedule/autostart.ts";
import { parseSchedule, ScheduleError } from "../schedule/cron.ts";
import { extendProblem, ttlProblem, wholeMinutes } from "../schedule/ttl.ts";
import { findWorkspace } from "../workspaceview/load.ts";
import type { WorkspaceViewRow } from "../workspaceview/view.ts";
import { can } from "../rbac/subject.ts";
import { workspace as workspaceKind } from "../database/dbauthz/kinds.ts";
import { NotFound } from "../errors.ts";
import { publishWorkspaceEvent } from "../wspubsub/wspubsub.ts";
import { change, refusePrebuilt } from "./change.ts";
import type { ReadDeps } from "./read.ts";

/** Null for no schedule; throws the given message with what is wrong with it. */
export function checkedSchedule(text: string | undefined, message: string): string | null {
  if (text === undefined || text === "") return null;
  try {
    parseSchedule(text, "weekly");
    return text;
  } catch (error) {
    if (error instanceof ScheduleError) throw invalidField(message, "schedule", error.message);
    throw error;
  }
}

export function scheduleRoutes(deps: ReadDeps): BoundRoute[] {
  const load = (ctx: Ctx, id: string) => findWorkspace(deps, ctx, { id });
  return [
    bind(workspaces.setAutostart, async (ctx, req) => {
      const row = await load(ctx, req.params.workspace);
      const { w: workspace } = row;
      refusePrebuilt(workspace, "Autostart is not supported for prebuilt workspaces");
      const schedule = checkedSchedule(req.body().schedule, "Invalid autostart schedule.");
      if (!row.allowUserAutostart) {
        const message = "Autostart is not allowed for workspaces using this template.";
        throw invalidField(message, "schedule", message);
      }
      const now = ctx.now();
      const allowedDays = row.autostartDaysOfWeek;
      const nextStartAt = schedule ? (nextAllowedAutostart({ schedule, allowedDays }, now) ?? null) : null;
      const after = { autostartSchedule: schedule, nextStartAt };
      await change(ctx, deps, { workspace, request: req, after }, (tx) =>
        tx.updateWorkspaceAutostart(ctx, { id: workspace.id, schedule, nextStartAt, now }),
      );
      return noBody(204);
    }),
    bind(workspaces.setTtl, async (ctx, req) => {
      const row = await load(ctx, req.params.workspace);
      const { w: workspace, b: build } = row;
      refusePrebuilt(workspace, "TTL updates are not supported for prebuilt workspaces");
      const wanted = req.body().ttl_ms ?? 0;
      const problem = row.allowUserAutostop
        ? wanted === 0
          ? undefined
          : ttlProblem(wanted)
        : "Custom autostop TTL is not allowed for workspaces using this template.";
      if (problem) throw invalidField("Error updating workspace time until shutdown.", "ttl_ms", problem);
      const ttlMs = wanted === 0 ? null : wholeMinutes(wanted);
      const now = ctx.now();
      await change(ctx, deps, { workspace, request: req, after: { ttlMs } }, async (tx) => {
        await tx.updateWorkspaceTtl(ctx, { id: workspace.id, ttlMs, now });
        const system = ctx.as(actors.provisionerd, "the deadline follows the time to live");
        if (ttlMs === null) await tx.resetBuildDeadline(system, { id: build.id, now });
      });
      return noBody(204);
    }),
    bind(workspaces.extend, async (ctx, req) => {
      const { w: workspace } = await load(ctx, req.params.workspace);
      if (!can(ctx.actor, "update", workspaceKind.of(workspace))) throw new NotFound();
      const { deadline } = req.body();
      await deps.store.inTx(ctx, {}, async (tx) => {
        await tx.lockWorkspaceToBuild(ctx, { id: workspace.id });
        const row = await findWorkspace({ store: tx }, ctx, { id: workspace.id });
        mustBeExtensible(row, deadline, ctx.now());
        const system = ctx.as(actors.provisionerd, "the deadline of a workspace that the caller may change");
        await tx.updateBuildDeadline(system, { id: row.b.id, deadline, now: ctx.now() });
        const event = { kind: "mtd_update", workspaceId: workspace.id } as const;
        tx.afterCommit(() => publishWorkspaceEvent(deps.pubsub, workspace.ownerId, event));
      });
      return { message: `Deadline updated to ${deadline.toISOString().replace(/\.?0*Z$/, "Z")}.` };
    }),
  ];
}

function mustBeExtensible({ w, b, j }: WorkspaceViewRow, deadline: Date, now: Date): void {
  refusePrebuilt(w, "Deadline extension is not supported for prebuilt workspaces");
  if (b.transition !== "start") {
    throw new Conflict(`Workspace must be started, current status: ${b.transition}`);
  }
  if (j.completedAt === null) throw new Conflict("Workspace is still building!");
  if (b.deadline === null) throw new Conflict("Workspace shutdown is manual.");
  const problem = extendProblem(deadline, { now, startedAt: j.completedAt });
  if (problem) throw new Invalid(`Cannot extend workspace: ${problem}`);
  if (b.maxDeadline && deadline > b.maxDeadline) {
    throw new Invalid("Cannot extend workspace beyond max deadline.");
  }
}

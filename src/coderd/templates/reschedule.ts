/**
 * What living workspaces feel of a template's changed schedule at once (spec lifecycle §1.3): when they start next, and
 * when those that run must stop. A stop is never moved to within the next hour: nobody is surprised by it.
 */
import type { Ctx } from "../ctx.ts";
import type { AuthzTx } from "../database/dbauthz/dbauthz.ts";
import type { Template } from "../database/gen/models.gen.ts";
import { actors } from "../rbac/actors.ts";
import { nextAllowedAutostart } from "../schedule/autostart.ts";
import { requiredStop } from "../schedule/autostop.ts";
import { quietHoursOf } from "../schedule/quiet-hours.ts";

const hourMs = 3_600_000;

export async function rescheduleStarts(ctx: Ctx, tx: AuthzTx, template: Template): Promise<void> {
  await tx.clearNextStartsOfTemplate(ctx, { id: template.id });
  if (!template.allowUserAutostart) return;
  const allowedDays = template.autostartDaysOfWeek;
  const next = (await tx.getSchedulesOfTemplate(ctx, { id: template.id })).flatMap(
    ({ id, autostartSchedule: schedule }) => {
      const at = schedule ? nextAllowedAutostart({ schedule, allowedDays }, ctx.now()) : undefined;
      return at ? [{ id, at }] : [];
    },
  );
  await tx.setNextStarts(ctx, {
    templateId: template.id,
    ids: next.map(({ id }) => id),
    nextStartAts: next.map(({ at }) => at),
  });
}

interface Running {
  readonly ttlMs: number | null;
  readonly deadline: Date | null;
  readonly maxDeadline: Date | null;
  readonly completedAt: Date | null;
  readonly quietHoursSchedule: string;
}

export async function rescheduleStops(
  ctx: Ctx,
  tx: AuthzTx,
  quietHours: string,
  { before, after }: { readonly before: Template; readonly after: Template },
): Promise<void> {
  const requirementDiffers =
    after.autostopRequirementDaysOfWeek !== before.autostopRequirementDaysOfWeek ||
    (after.autostopRequirementDaysOfWeek !== 0 &&
      after.autostopRequirementWeeks !== before.autostopRequirementWeeks);
  const ownTtlForbidden = before.allowUserAutostop && !after.allowUserAutostop && after.defaultTtlMs === 0;
  if (!requirementDiffers && !ownTtlForbidden) return;
  const system = ctx.as(
    actors.provisionerd,
    "follows from the settings of a template that the caller changes",
  );
  for (const row of await tx.getWorkspacesToReschedule(ctx, { id: after.id })) {
    const maxDeadline = requirementDiffers
      ? newRequiredStop(row, after, quietHours, ctx.now())
      : row.maxDeadline;
    const deadline = ownTtlForbidden ? maxDeadline : newDeadline(row, after, maxDeadline, ctx.now());
    await tx.setDeadlines(system, { buildId: row.buildId, deadline, maxDeadline, now: ctx.now() });
  }
}

function newRequiredStop(row: Running, template: Template, quietHours: string, now: Date): Date | null {
  const requirement = {
    days: template.autostopRequirementDaysOfWeek,
    weeks: template.autostopRequirementWeeks,
  };
  if (requirement.days === 0 || row.completedAt === null) return null;
  const stop = requiredStop(requirement, quietHoursOf(row.quietHoursSchedule, quietHours), row.completedAt);
  return stop && new Date(Math.max(stop.getTime(), now.getTime() + hourMs));
}

/** The one it has, within the required stop; without a requirement, what its own time to live gives. */
function newDeadline(row: Running, template: Template, maxDeadline: Date | null, now: Date): Date | null {
  if (maxDeadline) return row.deadline && row.deadline < maxDeadline ? row.deadline : maxDeadline;
  const ttlMs = template.allowUserAutostop ? (row.ttlMs ?? 0) : template.defaultTtlMs;
  const wanted = row.completedAt && ttlMs > 0 ? new Date(row.completedAt.getTime() + ttlMs) : null;
  return wanted === null || wanted > now ? wanted : row.deadline;
}

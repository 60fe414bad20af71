/** Templates as the API shows them. */
import type { Template as WireTemplate, TemplateBuildTimeStats } from "#codersdk/templates.ts";
import type { Ctx } from "../ctx.ts";
import type { AuthzStore } from "../database/dbauthz/dbauthz.ts";
import type {
  GetTemplateBuildTimesRow,
  GetTemplatesArg,
  GetTemplatesRow,
} from "../database/gen/templates.gen.ts";
import { NotFound } from "../errors.ts";
import { daysToNames } from "./days.ts";

/** Restricts nothing. */
export const everyTemplate: GetTemplatesArg = {
  ids: [],
  author: "",
  exactName: "",
  exactDisplayName: "",
  fuzzyName: "",
  fuzzyDisplayName: "",
};

/** Two statements, whatever the list holds. */
export async function readTemplates(
  ctx: Ctx,
  store: AuthzStore,
  query: GetTemplatesArg,
): Promise<WireTemplate[]> {
  const rows = await store.getTemplates(ctx, query);
  if (rows.length === 0) return [];
  const times = await store.getTemplateBuildTimes(ctx, { templateIds: rows.map(({ t }) => t.id) });
  return rows.map((row) =>
    toTemplate(
      row,
      times.filter(({ templateId }) => templateId === row.t.id),
    ),
  );
}

/** Also a deleted one. Throws `NotFound`. */
export async function readTemplate(ctx: Ctx, store: AuthzStore, id: string): Promise<WireTemplate> {
  const [found] = await readTemplates(ctx, store, { ...everyTemplate, ids: [id] });
  if (found === undefined) throw new NotFound();
  return found;
}

function toTemplate(row: GetTemplatesRow, times: readonly GetTemplateBuildTimesRow[]): WireTemplate {
  const { t } = row;
  return {
    id: t.id,
    created_at: t.createdAt,
    updated_at: t.updatedAt,
    organization_id: t.organizationId,
    organization_name: row.organizationName,
    organization_display_name: row.organizationDisplayName,
    organization_icon: row.organizationIcon,
    name: t.name,
    display_name: t.displayName,
    provisioner: t.provisioner,
    active_version_id: t.activeVersionId,
    active_user_count: row.activeUserCount,
    build_time_stats: buildTimes(times),
    description: t.description,
    deprecated: t.deprecated !== "",
    deprecation_message: t.deprecated,
    deleted: t.deleted,
    icon: t.icon,
    default_ttl_ms: t.defaultTtlMs,
    activity_bump_ms: t.activityBumpMs,
    autostop_requirement: {
      days_of_week: daysToNames(t.autostopRequirementDaysOfWeek),
      weeks: Math.max(t.autostopRequirementWeeks, 1),
    },
    autostart_requirement: { days_of_week: daysToNames(t.autostartDaysOfWeek) },
    created_by_id: t.createdBy,
    created_by_name: row.creatorUsername,
    allow_user_autostart: t.allowUserAutostart,
    allow_user_autostop: t.allowUserAutostop,
    allow_user_cancel_workspace_jobs: t.allowUserCancelWorkspaceJobs,
    failure_ttl_ms: t.failureTtlMs,
    time_til_dormant_ms: t.timeTilDormantMs,
    time_til_dormant_autodelete_ms: t.timeTilDormantAutodeleteMs,
    require_active_version: t.requireActiveVersion,
    max_port_share_level: t.maxPortShareLevel,
    cors_behavior: t.corsBehavior,
    use_classic_parameter_flow: t.useClassicParameterFlow,
    disable_module_cache: t.disableModuleCache,
  };
}

function buildTimes(rows: readonly GetTemplateBuildTimesRow[]): TemplateBuildTimeStats {
  const of = (transition: string) => {
    const row = rows.find((one) => one.transition === transition);
    return row ? { P50: row.p50, P95: row.p95 } : { P50: null, P95: null };
  };
  return { delete: of("delete"), start: of("start"), stop: of("stop") };
}

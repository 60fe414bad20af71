/** Creating a workspace: checks in upstream's order, then workspace and first build in one transaction (spec lifecycle §2). */
import { zeroUuid } from "#codersdk/wire.ts";
import type { CreateWorkspaceRequest, Workspace as SdkWorkspace } from "#codersdk/workspaces.ts";
import { audit } from "../audit/audit.ts";
import type { Ctx } from "../ctx.ts";
import { newWorkspace, template as templateKind } from "../database/dbauthz/kinds.ts";
import { isUniqueViolation } from "../database/errors.ts";
import type { Template, User } from "../database/gen/models.gen.ts";
import { Conflict, Forbidden, Invalid, invalidField, NotFound } from "../errors.ts";
import { actors } from "../rbac/actors.ts";
import { can } from "../rbac/subject.ts";
import { makeBuild } from "../wsbuilder/build.ts";
import { findWorkspace, justMade, loadWorkspace } from "../workspaceview/load.ts";
import { nextAllowedAutostart } from "../schedule/autostart.ts";
import { ttlProblem, wholeMinutes } from "../schedule/ttl.ts";
import { type CreateBuildDeps, mayStartVersion } from "./create-build.ts";
import { checkedSchedule } from "./schedule.ts";

export interface CreateDeps extends CreateBuildDeps {}

export interface CreateOptions {
  readonly owner: User;
  readonly callerId: string;
  readonly body: CreateWorkspaceRequest;
  readonly request: { readonly ip: string; readonly userAgent: string };
}

/** The new workspace as it was made: its job is pending, even if a daemon takes it at once. */
export async function createWorkspace(
  ctx: Ctx,
  deps: CreateDeps,
  options: CreateOptions,
): Promise<SdkWorkspace> {
  const { owner, body } = options;
  const versionId = body.template_version_id === zeroUuid ? undefined : body.template_version_id;
  const templateId =
    versionId === undefined ? body.template_id : await templateOfVersion(ctx, deps, versionId);
  const schedule = checkedSchedule(body.autostart_schedule, "Invalid Autostart Schedule.");
  const ttlMs = body.ttl_ms ?? 0;
  const problem = ttlMs === 0 ? undefined : ttlProblem(ttlMs);
  if (problem) {
    throw new Invalid("Invalid Workspace Time to Shutdown.", {
      validations: [{ field: "ttl_ms", detail: problem }],
    });
  }
  const id = deps.rand.uuid();
  try {
    return await deps.store.inTx(ctx, {}, async (tx) => {
      const template = await tx.lockTemplateToUse(ctx, { id: templateId }).catch((error: unknown) => {
        if (error instanceof NotFound) {
          throw invalidField(`Template "${templateId}" doesn't exist.`, "template_id", "template not found");
        }
        throw error;
      });
      checkTemplate(ctx, template, owner);
      mayStartVersion(ctx, template, versionId ?? template.activeVersionId);
      const autostartSchedule = template.allowUserAutostart ? schedule : null;
      const workspace = await tx.insertWorkspace(ctx, {
        id,
        ownerId: owner.id,
        organizationId: template.organizationId,
        templateId: template.id,
        name: body.name,
        autostartSchedule,
        nextStartAt: autostartSchedule
          ? nextAllowedAutostart(
              { schedule: autostartSchedule, allowedDays: template.autostartDaysOfWeek },
              ctx.now(),
            )
          : null,
        ttlMs: ttlOf(ttlMs, template),
        automaticUpdates: body.automatic_updates ?? "never",
        now: ctx.now(),
      });
      await makeBuild(ctx, tx, deps, {
        workspaceId: id,
        initiatorId: options.callerId,
        request: {
          transition: "start",
          versionId: versionId ?? template.activeVersionId,
          presetId:
            body.template_version_preset_id === zeroUuid ? undefined : body.template_version_preset_id,
          values: body.rich_parameter_values ?? [],
          reason: "initiator",
        },
      });
      await audit(tx, ctx, {
        action: "create",
        type: "workspace",
        after: workspace,
        request: options.request,
        statusCode: 201,
        extra: { workspace_owner: owner.username },
      });
      const view = { ...deps, store: tx };
      const made = await loadWorkspace(view, ctx, await findWorkspace(view, ctx, { id }));
      return { ...made, latest_build: justMade(made.latest_build) };
    });
  } catch (error) {
    if (!isUniqueViolation(error, "workspaces_owner_name_idx")) throw error;
    throw new Conflict(`Workspace "${body.name}" already exists.`, {
      validations: [{ field: "name", detail: "This value is already in use and should be unique." }],
      cause: error,
    });
  }
}

async function templateOfVersion(ctx: Ctx, { store }: CreateDeps, versionId: string): Promise<string> {
  const system = ctx.as(actors.provisionerd, "which template a version belongs to; its use is checked next");
  const version = await store.getTemplateIdOfVersion(system, { id: versionId });
  if (!version?.templateId) {
    throw new Invalid(`Template version "${versionId}" doesn't exist.`, {
      validations: [{ field: "template_version_id", detail: "template not found" }],
    });
  }
  if (version.archived) throw new Invalid("Archived template versions cannot be used to make a workspace.");
  return version.templateId;
}

function checkTemplate(ctx: Ctx, template: Template, owner: User): void {
  if (template.deleted) throw new NotFound(`Template "${template.name}" has been deleted!`);
  const wanted = { organizationId: template.organizationId, ownerId: owner.id };
  if (!can(ctx.actor, "create", newWorkspace.of(wanted))) {
    throw new Forbidden("Unauthorized to create workspace.");
  }
  if (!can(ctx.actor, "use", templateKind.of(template))) {
    throw new Forbidden(`Unauthorized access to use the template "${template.name}".`);
  }
  if (template.deprecated !== "") {
    throw new Invalid(
      `Template "${template.name}" has been deprecated, and cannot be used to create a new workspace.`,
      { detail: template.deprecated },
    );
  }
}

/** Whole minutes; nothing given: the template's default. */
function ttlOf(ttlMs: number, template: Template): number | null {
  if (ttlMs > 0) return wholeMinutes(ttlMs);
  return template.defaultTtlMs > 0 ? template.defaultTtlMs : null;
}

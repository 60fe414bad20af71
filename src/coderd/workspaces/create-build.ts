/** `POST workspaces/{id}/builds`: start, stop or delete (spec lifecycle §4.1). */
import { zeroUuid } from "#codersdk/wire.ts";
import type { WorkspaceBuild } from "#codersdk/workspacebuilds.ts";
import type { CreateWorkspaceBuildRequest } from "#codersdk/workspaces.ts";
import type { Ctx } from "../ctx.ts";
import { template as templateKind, workspace as workspaceKind } from "../database/dbauthz/kinds.ts";
import type { Template, Workspace } from "../database/gen/models.gen.ts";
import { Forbidden, Invalid } from "../errors.ts";
import { can } from "../rbac/subject.ts";
import { justMade, loadBuilds, type ViewDeps } from "../workspaceview/load.ts";
import type { WorkspaceViewRow } from "../workspaceview/view.ts";
import { type BuilderDeps, makeBuild } from "../wsbuilder/build.ts";
import { type BuildRequest, checkRequest } from "../wsbuilder/plan.ts";

export interface CreateBuildDeps extends BuilderDeps, ViewDeps {
  readonly terraformDebugMode: boolean;
}

/** The new build as it was made: its job is pending, even if a daemon takes it at once. */
export async function createBuild(
  ctx: Ctx,
  deps: CreateBuildDeps,
  options: {
    readonly row: WorkspaceViewRow;
    readonly callerId: string;
    readonly body: CreateWorkspaceBuildRequest;
  },
): Promise<WorkspaceBuild> {
  const { row, body, callerId } = options;
  const { w: workspace } = row;
  const request = toRequest(body);
  checkRequest(request, workspace);
  checkRights(ctx, workspace, request);
  if (request.state || request.orphan) await checkTemplateManager(ctx, deps, workspace);
  if (request.logLevel) {
    if (!can(ctx.actor, "read", { type: "deployment_config" })) {
      throw new Invalid("Workspace builds with a custom log level are restricted to administrators only.");
    }
    if (!deps.terraformDebugMode) {
      throw new Invalid("Terraform debug mode is disabled in the deployment configuration.");
    }
  }
  return deps.store.inTx(ctx, {}, async (tx) => {
    const made = await makeBuild(ctx, tx, deps, {
      workspaceId: workspace.id,
      initiatorId: callerId,
      request,
      check: ({ template, versionId }) => {
        if (request.transition === "start") mayStartVersion(ctx, template, versionId);
      },
    });
    const [build] = await loadBuilds({ ...deps, store: tx }, ctx, row, { id: made.build.id });
    if (!build) throw new Error("the build that was just made is gone");
    return justMade(build);
  });
}

function toRequest(body: CreateWorkspaceBuildRequest): BuildRequest {
  const state = body.state && body.state.length > 0 ? body.state : undefined;
  return {
    transition: body.transition,
    versionId: body.template_version_id === zeroUuid ? undefined : body.template_version_id,
    presetId: body.template_version_preset_id === zeroUuid ? undefined : body.template_version_preset_id,
    values: body.rich_parameter_values ?? [],
    reason: body.transition === "delete" ? "initiator" : (body.reason ?? "initiator"),
    state,
    orphan: body.orphan ?? false,
    logLevel: body.log_level ?? "",
  };
}

function checkRights(ctx: Ctx, workspace: Workspace, { transition }: BuildRequest): void {
  const also = workspaceKind.also?.(workspace);
  const allowed =
    can(ctx.actor, transition, workspaceKind.of(workspace)) ||
    (transition === "delete" && also !== undefined && can(ctx.actor, "delete", also));
  if (!allowed) throw new Forbidden(`You do not have permission to ${transition} this workspace.`);
}

/** A start must take the active version, where the template asks for it, unless by who may change the template. */
export function mayStartVersion(ctx: Ctx, template: Template, versionId: string): void {
  if (!template.requireActiveVersion || versionId === template.activeVersionId) return;
  if (can(ctx.actor, "update", templateKind.of(template))) return;
  throw new Forbidden("Build is not permitted: the template requires its active version.");
}

async function checkTemplateManager(
  ctx: Ctx,
  { store }: CreateBuildDeps,
  workspace: Workspace,
): Promise<void> {
  const template = await store.getTemplateById(ctx, { id: workspace.templateId }).catch(() => undefined);
  if (!template || !can(ctx.actor, "update", templateKind.of(template))) {
    throw new Forbidden("Only template managers may provide custom state");
  }
}

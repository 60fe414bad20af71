/** Creating, changing, promoting and deleting templates: each in one transaction with its audit entry. */
import type { CreateTemplateRequest, UpdateTemplateMeta } from "#codersdk/templates.ts";
import type { Rand } from "#cryptorand/cryptorand.ts";
import { audit } from "../audit/audit.ts";
import type { Ctx } from "../ctx.ts";
import type { AuthzStore, AuthzTx } from "../database/dbauthz/dbauthz.ts";
import { isUniqueViolation } from "../database/errors.ts";
import type { Template } from "../database/gen/models.gen.ts";
import type { GetTemplateVersionByIdRow } from "../database/gen/templateversions.gen.ts";
import type { Pubsub } from "../database/pubsub/pubsub.ts";
import type { TemplateAcl } from "../database/types.ts";
import { Conflict, Forbidden, Invalid, NotFound } from "../errors.ts";
import { rescheduleStarts, rescheduleStops } from "./reschedule.ts";
import { settingsOfCreate, settingsOfUpdate } from "./settings.ts";

export interface ChangeDeps {
  readonly store: AuthzStore;
  readonly pubsub: Pubsub;
  readonly rand: Rand;
  /** Of users without their own. */
  readonly quietHours: string;
}

interface Request {
  readonly ip: string;
  readonly userAgent: string;
}

/** What a template's own group entry allows: to see it and to make workspaces of it. */
const use = ["read", "use"] as const;

/** Gives the template's id. */
export async function createTemplate(
  ctx: Ctx,
  { store, rand }: ChangeDeps,
  organizationId: string,
  body: CreateTemplateRequest,
  request: Request,
): Promise<string> {
  const settings = settingsOfCreate(body);
  const version = await freeVersion(ctx, store, organizationId, body.template_version_id);
  const id = rand.uuid();
  await named(body.name, () =>
    store.inTx(ctx, {}, async (tx) => {
      const at = ctx.now();
      const template = await tx.insertTemplate(ctx, {
        id,
        organizationId,
        name: body.name,
        provisioner: version.j.provisioner,
        activeVersionId: version.v.id,
        createdBy: ctx.actor.id,
        createdAt: at,
        userAcl: {},
        groupAcl: body.disable_everyone_group_access ? {} : { [organizationId]: use },
        ...settings,
      });
      const attached = await tx
        .attachTemplateVersion(ctx, { id: version.v.id, templateId: id, updatedAt: at })
        .catch((error: unknown) => {
          throw error instanceof NotFound ? alreadyPart(version.v.id) : error;
        });
      const entry = { request, statusCode: 201 };
      await audit(tx, ctx, { ...entry, action: "create", type: "template", after: template });
      const change = { before: version.v, after: attached } as const;
      await audit(tx, ctx, { ...entry, ...change, action: "write", type: "template_version" });
    }),
  );
  return id;
}

async function freeVersion(
  ctx: Ctx,
  store: AuthzStore,
  organizationId: string,
  id: string,
): Promise<GetTemplateVersionByIdRow> {
  const missing = new NotFound(`Template version ${JSON.stringify(id)} does not exist.`, {
    validations: [{ field: "template_version_id", detail: "Template version does not exist" }],
  });
  const version = await store.getTemplateVersionById(ctx, { id }).catch((error: unknown) => {
    throw error instanceof NotFound ? missing : error;
  });
  if (version.v.organizationId !== organizationId) throw missing;
  if (version.v.archived) {
    throw new Invalid(`Template version ${id} is archived.`, {
      validations: [{ field: "template_version_id", detail: "Template version is archived" }],
    });
  }
  if (version.v.templateId !== null) throw alreadyPart(id);
  return version;
}

const alreadyPart = (id: string): Invalid =>
  new Invalid(`Template version ${id} is already part of a template`, {
    validations: [{ field: "template_version_id", detail: "Already part of a template" }],
  });

/** A taken name is found by the index, so that two at once cannot both have it. */
async function named<T>(name: string, change: () => Promise<T>): Promise<T> {
  try {
    return await change();
  } catch (error) {
    if (!isUniqueViolation(error, "templates_name_idx")) throw error;
    throw new Conflict(`Template with name ${JSON.stringify(name)} already exists.`, {
      validations: [{ field: "name", detail: "This value is already in use and should be unique." }],
    });
  }
}

export async function updateTemplate(
  ctx: Ctx,
  { store, quietHours }: ChangeDeps,
  id: string,
  body: UpdateTemplateMeta,
  request: Request,
): Promise<void> {
  await named(body.name ?? "", () =>
    store.inTx(ctx, {}, async (tx) => {
      const before = await tx.lockTemplate(ctx, { id });
      const after = await tx.updateTemplate(ctx, {
        id,
        ...settingsOfUpdate(before, body),
        name: body.name ? body.name : before.name,
        deprecated: body.deprecation_message ?? before.deprecated,
        userAcl: before.userAcl,
        groupAcl: body.disable_everyone_group_access ? withoutEveryone(before) : before.groupAcl,
        disableModuleCache: body.disable_module_cache ?? before.disableModuleCache,
        updatedAt: ctx.now(),
      });
      await applyToWorkspaces(ctx, tx, quietHours, { before, after, body });
      await audit(tx, ctx, { action: "write", type: "template", before, after, request });
    }),
  );
}

function withoutEveryone({ groupAcl, organizationId }: Template): TemplateAcl {
  return Object.fromEntries(Object.entries(groupAcl).filter(([group]) => group !== organizationId));
}

/** What existing workspaces feel of changed settings at once; the rest is read when it is used. */
async function applyToWorkspaces(
  ctx: Ctx,
  tx: AuthzTx,
  quietHours: string,
  change: { readonly before: Template; readonly after: Template; readonly body: UpdateTemplateMeta },
): Promise<void> {
  const { before, after, body } = change;
  const { id } = after;
  const now = ctx.now();
  if (body.update_workspace_last_used_at) await tx.touchWorkspacesOfTemplate(ctx, { id, now });
  const restart = body.update_workspace_dormant_at ?? false;
  const autodeleteMs = after.timeTilDormantAutodeleteMs;
  if (restart || autodeleteMs !== before.timeTilDormantAutodeleteMs) {
    await tx.updateDormantWorkspacesOfTemplate(ctx, { id, now, restart, autodeleteMs });
  }
  const startsDiffer =
    after.autostartDaysOfWeek !== before.autostartDaysOfWeek ||
    after.allowUserAutostart !== before.allowUserAutostart;
  if (startsDiffer) await rescheduleStarts(ctx, tx, after);
  await rescheduleStops(ctx, tx, quietHours, { before, after });
}

export async function promoteVersion(
  ctx: Ctx,
  { store, pubsub }: ChangeDeps,
  ids: { readonly templateId: string; readonly versionId: string },
  request: Request,
): Promise<void> {
  const { v, j } = await store.getTemplateVersionById(ctx, { id: ids.versionId }).catch((error: unknown) => {
    throw error instanceof NotFound ? new NotFound("Template version not found.") : error;
  });
  if (v.templateId !== ids.templateId) {
    throw new Invalid("The provided template version doesn't belong to the specified template.");
  }
  if (j.jobStatus !== "succeeded") {
    throw new Forbidden("Only versions that have been built successfully can be promoted.", {
      detail: `Attempted to promote a version with a ${j.jobStatus} build`,
    });
  }
  if (v.archived) throw new Invalid("The provided template version is archived.");
  await store.inTx(ctx, {}, async (tx) => {
    const before = await tx.lockTemplate(ctx, { id: ids.templateId });
    const after = await tx.updateTemplateActiveVersion(ctx, {
      id: ids.templateId,
      activeVersionId: v.id,
      updatedAt: ctx.now(),
    });
    await audit(tx, ctx, { action: "write", type: "template", before, after, request });
    tx.afterCommit(() => pubsub.publish(`template:${ids.templateId}`, ""));
  });
}

export async function deleteTemplate(
  ctx: Ctx,
  { store }: ChangeDeps,
  id: string,
  request: Request,
): Promise<void> {
  await store.inTx(ctx, {}, async (tx) => {
    // The row is locked from here on: two deletes, or a delete and an update, come one after the other.
    const after = await tx.deleteTemplate(ctx, { id, updatedAt: ctx.now() });
    const { count } = await tx.countWorkspacesOfTemplate(ctx, { id });
    if (count > 0) throw new Invalid("All workspaces must be deleted before a template can be removed.");
    await audit(tx, ctx, {
      action: "delete",
      type: "template",
      before: { ...after, deleted: false },
      request,
    });
  });
}

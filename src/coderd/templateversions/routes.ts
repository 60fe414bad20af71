/** Versions of templates: made as an import job, read with what the import found, archived when nobody needs them. */
import { templateversions } from "#codersdk/templateversions.ts";
import { audit } from "../audit/audit.ts";
import type { Ctx } from "../ctx.ts";
import type { AuthzStore } from "../database/dbauthz/dbauthz.ts";
import { isUniqueViolation } from "../database/errors.ts";
import { Invalid, NotFound } from "../errors.ts";
import { bind, type BoundRoute } from "../httpapi/bind.ts";
import { noBody, rawReply, type RawReply, reply } from "../httpapi/reply.ts";
import { resolveOrganization } from "../httpmw/params.ts";
import { cancelJob } from "../provisionerjobs/jobs.ts";
import { matchedProvisioners, toProvisionerJob } from "../provisionerjobs/wire.ts";
import { loadResources, type ViewDeps } from "../workspaceview/load.ts";
import { mustBeImported, mustUpdate } from "./access.ts";
import { createVersion, type CreateVersionDeps } from "./create.ts";
import { createDryRun, dryRunOf } from "./dryrun.ts";
import { toParameter, toPreset, toVariable } from "./found.ts";
import { logsOf } from "../provisionerjobs/logs-answer.ts";
import { toNewVersion, toVersionOf } from "./view.ts";

export interface TemplateVersionsDeps extends ViewDeps, CreateVersionDeps {}

const json = (value: unknown): RawReply =>
  rawReply(200, `${JSON.stringify(value)}\n`, {
    headers: { "content-type": "application/json; charset=utf-8" },
  });

export function routes(deps: TemplateVersionsDeps): BoundRoute[] {
  return [...versionRoutes(deps), ...foundRoutes(deps), ...archiveRoutes(deps), ...dryRunRoutes(deps)];
}

function versionRoutes(deps: TemplateVersionsDeps): BoundRoute[] {
  const { store, pubsub } = deps;
  const byId = (ctx: Ctx, id: string) => store.getTemplateVersionById(ctx, { id });
  return [
    bind(templateversions.create, async (ctx, req) => {
      const organization = await resolveOrganization(ctx, store, req.params.organization);
      const id = await createVersion(ctx, deps, {
        organizationId: organization.id,
        body: req.body(),
        request: req,
      });
      return reply(201, await toNewVersion(ctx, store, await byId(ctx, id)));
    }),

    bind(templateversions.get, async (ctx, req) =>
      toVersionOf(ctx, store, await byId(ctx, req.params.templateversion)),
    ),

    bind(templateversions.update, async (ctx, req) => {
      const { v } = await byId(ctx, req.params.templateversion);
      const { name, message } = req.body();
      try {
        await store.updateTemplateVersion(ctx, {
          id: v.id,
          name: name === "" ? v.name : name,
          message: message ?? v.message,
          updatedAt: ctx.now(),
        });
      } catch (error) {
        if (!isUniqueViolation(error, "template_versions_template_id_name_key")) throw error;
        throw new Invalid("A version of this template has that name.", {
          validations: [{ field: "name", detail: "Name is already used" }],
        });
      }
      return toVersionOf(ctx, store, await byId(ctx, v.id));
    }),

    bind(templateversions.cancel, async (ctx, req) => {
      const version = await byId(ctx, req.params.templateversion);
      mustUpdate(ctx, version);
      await store.inTx(ctx, {}, (tx) => cancelJob(ctx, tx, pubsub, { jobId: version.j.id }));
      return { message: "Job has been marked as canceled..." };
    }),

    bind(templateversions.logs, async (ctx, req) => {
      const { j } = await byId(ctx, req.params.templateversion);
      return logsOf(ctx, deps, j.id, req.query());
    }),

    bind(templateversions.getByName, async (ctx, req) => {
      const template = await templateByName(ctx, store, req.params);
      const row = await versionByName(ctx, store, template.id, req.params.templateversionname);
      return toVersionOf(ctx, store, row);
    }),

    bind(templateversions.previous, async (ctx, req) => {
      const template = await templateByName(ctx, store, req.params);
      const { v } = await versionByName(ctx, store, template.id, req.params.templateversionname);
      const before = await store.getPreviousTemplateVersion(ctx, { id: v.id });
      return before ? toVersionOf(ctx, store, before) : noBody(204);
    }),
  ];
}

async function templateByName(
  ctx: Ctx,
  store: AuthzStore,
  params: { readonly organization: string; readonly templatename: string },
) {
  const { id } = await resolveOrganization(ctx, store, params.organization);
  return store.getTemplateByName(ctx, { organizationId: id, name: params.templatename });
}

/** Throws the "not found" that names the version. */
export async function versionByName(ctx: Ctx, store: AuthzStore, templateId: string, name: string) {
  const row = await store.getTemplateVersionByName(ctx, { templateId, name });
  if (!row) throw new NotFound(`No template version found by name ${JSON.stringify(name)}.`);
  return row;
}

/** What the import found; each says "too early" in its own way until the import is done. */
function foundRoutes(deps: TemplateVersionsDeps): BoundRoute[] {
  const { store } = deps;
  const byId = (ctx: Ctx, id: string) => store.getTemplateVersionById(ctx, { id });
  return [
    bind(templateversions.richParameters, async (ctx, req) => {
      const version = await byId(ctx, req.params.templateversion);
      mustBeImported(version, 425);
      const rows = await store.getTemplateVersionParameters(ctx, { templateVersionId: version.v.id });
      return rows.map(toParameter);
    }),

    bind(templateversions.resources, async (ctx, req) => {
      const version = await byId(ctx, req.params.templateversion);
      mustBeImported(version, 400);
      return loadResources(deps, ctx, version.j.id);
    }),

    bind(templateversions.variables, async (ctx, req) => {
      const version = await byId(ctx, req.params.templateversion);
      mustBeImported(version, 403);
      const rows = await store.getTemplateVersionVariables(ctx, { templateVersionId: version.v.id });
      return rows.map(toVariable);
    }),

    bind(templateversions.presets, async (ctx, req) => {
      const { v } = await byId(ctx, req.params.templateversion);
      const [presets, parameters] = await Promise.all([
        store.getTemplateVersionPresets(ctx, { templateVersionId: v.id }),
        store.getTemplateVersionPresetParameters(ctx, { templateVersionId: v.id }),
      ]);
      const values = parameters.map(({ pp }) => pp);
      return presets.map((preset) => toPreset(preset, values));
    }),

    bind(templateversions.externalAuth, async (ctx, req) => {
      const version = await byId(ctx, req.params.templateversion);
      mustBeImported(version, 400);
      const [first] = await store.getTemplateVersionExternalAuth(ctx, { templateVersionId: version.v.id });
      if (first === undefined) return [];
      throw new NotFound(
        `The template version asks for the external auth provider ${JSON.stringify(first.providerId)}, which is not configured.`,
      );
    }),

    bind(templateversions.schema, async (ctx, req) => {
      await byId(ctx, req.params.templateversion);
      return json([]);
    }),

    bind(templateversions.parameters, async (ctx, req) => {
      await byId(ctx, req.params.templateversion);
      return json([]);
    }),
  ];
}

function archiveRoutes({ store }: TemplateVersionsDeps): BoundRoute[] {
  const free = "Cannot archive template versions not associate with a template.";
  return [
    bind(templateversions.archive, async (ctx, req) => {
      const row = await store.getTemplateVersionById(ctx, { id: req.params.templateversion });
      mustUpdate(ctx, row);
      const { v } = row;
      if (v.archived) throw new Invalid("Template version already archived");
      const { templateId } = v;
      if (templateId === null) throw new Invalid(free);
      await store.inTx(ctx, {}, async (tx) => {
        const ids = await tx.archiveTemplateVersions(ctx, {
          templateId,
          versionId: v.id,
          failedOnly: false,
          updatedAt: ctx.now(),
        });
        if (ids.length === 0) {
          throw new Invalid(
            "Unable to archive specified version, the version is likely in use by a workspace or currently set to the active version",
          );
        }
        await audit(tx, ctx, {
          action: "write",
          type: "template_version",
          before: v,
          after: { ...v, archived: true },
          request: req,
        });
      });
      return `template version ${JSON.stringify(v.id)} archived`;
    }),

    bind(templateversions.unarchive, async (ctx, req) => {
      const { v } = await store.getTemplateVersionById(ctx, { id: req.params.templateversion });
      if (!v.archived) throw new Invalid("Template version already unarchived");
      await store.inTx(ctx, {}, async (tx) => {
        await tx.unarchiveTemplateVersion(ctx, { id: v.id, updatedAt: ctx.now() });
        const after = { ...v, archived: false };
        await audit(tx, ctx, { action: "write", type: "template_version", before: v, after, request: req });
      });
      return `template version ${JSON.stringify(v.id)} unarchived`;
    }),
  ];
}

function dryRunRoutes(deps: TemplateVersionsDeps): BoundRoute[] {
  const { store, pubsub } = deps;
  const jobOf = (ctx: Ctx, params: { readonly templateversion: string; readonly jobID: string }) =>
    dryRunOf(ctx, deps, { versionId: params.templateversion, jobId: params.jobID });
  return [
    bind(templateversions.dryRun, async (ctx, req) => {
      const version = await store.getTemplateVersionById(ctx, { id: req.params.templateversion });
      return reply(201, toProvisionerJob(await createDryRun(ctx, deps, version, req.body())));
    }),

    bind(templateversions.dryRunJob, async (ctx, req) => toProvisionerJob(await jobOf(ctx, req.params))),

    bind(templateversions.dryRunMatched, async (ctx, req) => {
      const job = await jobOf(ctx, req.params);
      const daemons = await store.getEligibleDaemons(ctx, { jobIds: [job.id] });
      return matchedProvisioners(daemons, job.createdAt);
    }),

    bind(templateversions.dryRunResources, async (ctx, req) => {
      const job = await jobOf(ctx, req.params);
      if (job.completedAt === null) throw new Invalid("Job hasn't completed!");
      return loadResources(deps, ctx, job.id);
    }),

    bind(templateversions.dryRunLogs, async (ctx, req) => {
      const job = await jobOf(ctx, req.params);
      return logsOf(ctx, deps, job.id, req.query());
    }),

    bind(templateversions.dryRunCancel, async (ctx, req) => {
      const job = await jobOf(ctx, req.params);
      const version = await store.getTemplateVersionById(ctx, { id: req.params.templateversion });
      if (job.initiatorId !== ctx.actor.id) mustUpdate(ctx, version);
      await store.inTx(ctx, {}, (tx) => cancelJob(ctx, tx, pubsub, { jobId: job.id }));
      return { message: "Job has been marked as canceled..." };
    }),
  ];
}

/** Templates: what workspaces are made from. */
import { type TemplateExample, templates } from "#codersdk/templates.ts";
import { audit } from "../audit/audit.ts";
import type { Ctx } from "../ctx.ts";
import type { AuthzStore } from "../database/dbauthz/dbauthz.ts";
import { Invalid, NotFound } from "../errors.ts";
import type { Example } from "../examples/examples.ts";
import { bind, type BoundRoute } from "../httpapi/bind.ts";
import { reply } from "../httpapi/reply.ts";
import { resolveOrganization } from "../httpmw/params.ts";
import { can } from "../rbac/subject.ts";
import { toVersionOf, toVersions } from "../templateversions/view.ts";
import { type ChangeDeps, createTemplate, deleteTemplate, promoteVersion, updateTemplate } from "./change.ts";
import { aclRoutes } from "./acl.ts";
import { templateQuery } from "./list.ts";
import { everyTemplate, readTemplate, readTemplates } from "./view.ts";

export interface TemplatesDeps extends ChangeDeps {
  readonly examples: readonly Example[];
}

export function routes(deps: TemplatesDeps): BoundRoute[] {
  return [...templateRoutes(deps), ...versionRoutes(deps), ...aclRoutes(deps), ...exampleRoutes(deps)];
}

function templateRoutes(deps: TemplatesDeps): BoundRoute[] {
  const { store } = deps;
  return [
    bind(templates.list, async (ctx, req) =>
      readTemplates(ctx, store, await templateQuery(ctx, store, req.query().q)),
    ),

    bind(templates.listOfOrganization, async (ctx, req) => {
      const { id } = await resolveOrganization(ctx, store, req.params.organization);
      const query = await templateQuery(ctx, store, req.query().q);
      return readTemplates(ctx, store, { ...query, organizationId: id });
    }),

    bind(templates.create, async (ctx, req) => {
      const organization = await resolveOrganization(ctx, store, req.params.organization);
      const id = await createTemplate(ctx, deps, organization.id, req.body(), req);
      return reply(201, await readTemplate(ctx, store, id));
    }),

    bind(templates.getByName, async (ctx, req) => {
      const { id: organizationId } = await resolveOrganization(ctx, store, req.params.organization);
      const query = { ...everyTemplate, organizationId, exactName: req.params.templatename, deleted: false };
      const [found] = await readTemplates(ctx, store, query);
      if (found === undefined) throw new NotFound();
      return found;
    }),

    bind(templates.get, (ctx, req) => readTemplate(ctx, store, req.params.template)),

    bind(templates.update, async (ctx, req) => {
      const { id } = await store.getTemplateById(ctx, { id: req.params.template });
      await updateTemplate(ctx, deps, id, req.body(), req);
      return readTemplate(ctx, store, id);
    }),

    bind(templates.remove, async (ctx, req) => {
      const { id } = await livingTemplate(ctx, store, req.params.template);
      await deleteTemplate(ctx, deps, id, req);
      return { message: "Template has been deleted!" };
    }),
  ];
}

async function livingTemplate(ctx: Ctx, store: AuthzStore, id: string) {
  const template = await store.getTemplateById(ctx, { id });
  if (template.deleted) throw new NotFound();
  return template;
}

function versionRoutes(deps: TemplatesDeps): BoundRoute[] {
  const { store } = deps;
  return [
    bind(templates.versions, async (ctx, req) => {
      const { id: templateId } = await store.getTemplateById(ctx, { id: req.params.template });
      const query = req.query();
      if (query.after_id !== undefined) await mustBeVersion(ctx, store, templateId, query.after_id);
      const rows = await store.getTemplateVersionsOfTemplate(ctx, {
        templateId,
        includeArchived: query.include_archived,
        afterId: query.after_id,
        max: query.limit,
        skip: query.offset,
      });
      return toVersions(ctx, store, rows);
    }),

    bind(templates.promote, async (ctx, req) => {
      const { id: templateId } = await livingTemplate(ctx, store, req.params.template);
      await promoteVersion(ctx, deps, { templateId, versionId: req.body().id }, req);
      return { message: "Updated the active template version!" };
    }),

    bind(templates.archiveVersions, async (ctx, req) => {
      const template = await livingTemplate(ctx, store, req.params.template);
      const { all } = req.body();
      const archived = await store.inTx(ctx, {}, async (tx) => {
        const rows = await tx.archiveTemplateVersions(ctx, {
          templateId: template.id,
          failedOnly: !all,
          updatedAt: ctx.now(),
        });
        await audit(tx, ctx, {
          action: "write",
          type: "template",
          before: template,
          after: template,
          request: req,
        });
        return rows.map(({ id }) => id);
      });
      return { template_id: template.id, archived_ids: archived };
    }),

    bind(templates.versionByName, async (ctx, req) => {
      const { id: templateId } = await store.getTemplateById(ctx, { id: req.params.template });
      const name = req.params.templateversionname;
      const row = await store.getTemplateVersionByName(ctx, { templateId, name });
      if (!row) throw new NotFound(`No template version found by name ${JSON.stringify(name)}.`);
      return toVersionOf(ctx, store, row);
    }),
  ];
}

async function mustBeVersion(ctx: Ctx, store: AuthzStore, templateId: string, id: string): Promise<void> {
  const unknown = new Invalid(`Record at "after_id" (${JSON.stringify(id)}) does not exist.`);
  const { v } = await store.getTemplateVersionById(ctx, { id }).catch((error: unknown) => {
    throw error instanceof NotFound ? unknown : error;
  });
  if (v.templateId !== templateId) throw unknown;
}

/** Whoever may read no template at all does not learn of starter templates either. */
function exampleRoutes({ store, examples }: TemplatesDeps): BoundRoute[] {
  const mayRead = (
    ctx: Ctx,
    where: { readonly org: string } | { readonly anyOrg: true },
  ): TemplateExample[] => {
    if (!can(ctx.actor, "read", { type: "template", ...where })) throw new NotFound();
    return examples.map(({ about }) => about);
  };
  return [
    bind(templates.examples, (ctx) => mayRead(ctx, { anyOrg: true })),
    bind(templates.examplesOfOrganization, async (ctx, req) => {
      const { id } = await resolveOrganization(ctx, store, req.params.organization);
      return mayRead(ctx, { org: id });
    }),
  ];
}

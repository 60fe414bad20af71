/** Who may use or change a template (spec authorization §10): roles on the wire, actions in the row. */
import { parseUuid } from "#codersdk/uuid.ts";
import type { ValidationError } from "#codersdk/response.ts";
import { type TemplateRole, templates } from "#codersdk/templates.ts";
import { audit } from "../audit/audit.ts";
import type { Ctx } from "../ctx.ts";
import { toGroup, toReducedUser } from "../database/db2sdk/groups.ts";
import { toUser } from "../database/db2sdk/users.ts";
import type { AuthzStore } from "../database/dbauthz/dbauthz.ts";
import { template as templateKind } from "../database/dbauthz/kinds.ts";
import type { Template } from "../database/gen/models.gen.ts";
import type { TemplateAcl } from "../database/types.ts";
import { Forbidden, Invalid, NotFound } from "../errors.ts";
import { bind, type BoundRoute } from "../httpapi/bind.ts";
import { actors } from "../rbac/actors.ts";
import { can } from "../rbac/subject.ts";
import type { ChangeDeps } from "./change.ts";

const why = "who is, or may be, named by the access list of a template that the caller may change";
const actionsOfRole = { admin: ["*"], use: ["read", "use"] } as const;
/** Most entries of a request and of a template, and most people offered at once. */
const maxEntries = 1000;

function roleOf(actions: readonly string[]): TemplateRole {
  if (actions.includes("*")) return "admin";
  const given = new Set(actions);
  return given.size === 2 && given.has("read") && given.has("use") ? "use" : "";
}

export function aclRoutes(deps: ChangeDeps): BoundRoute[] {
  const { store } = deps;
  return [
    bind(templates.acl, async (ctx, req) => {
      const template = await changeable(ctx, store, req.params.template);
      const { userAcl, groupAcl } = template;
      const users = await store.getTemplateAclUsers(ctx.as(actors.system, why), {
        ids: Object.keys(userAcl),
      });
      const groups = await loadGroups(ctx, store, template, Object.keys(groupAcl));
      return {
        users: users.map(({ u, organizationIds }) => ({
          ...toUser(u, organizationIds),
          role: roleOf(userAcl[u.id] ?? []),
        })),
        group: groups.map((group) => ({ ...group, role: roleOf(groupAcl[group.id] ?? []) })),
      };
    }),
    bind(templates.aclAvailable, async (ctx, req) => {
      const template = await changeable(ctx, store, req.params.template);
      const system = ctx.as(actors.system, why);
      const { organizationId } = template;
      const users = await store.getAclCandidates(system, { organizationId, max: maxEntries });
      const ids = await store.getGroupIdsOfOrganization(system, { organizationId });
      return {
        users: users.map(({ u }) => toReducedUser(u)),
        groups: await loadGroups(
          ctx,
          store,
          template,
          ids.map(({ id }) => id),
        ),
      };
    }),
    bind(templates.setAcl, async (ctx, req) => {
      const template = await changeable(ctx, store, req.params.template);
      if (!can(ctx.actor, "create", templateKind.of(template))) {
        throw new Forbidden("You are not allowed to change who may use this template.");
      }
      const { user_perms: userPerms = {}, group_perms: groupPerms = {} } = req.body();
      await checkEntries(ctx, store, template, { userPerms, groupPerms });
      await store.inTx(ctx, {}, async (tx) => {
        const before = await tx.lockTemplate(ctx, { id: template.id });
        const after = await tx.updateTemplateAcl(ctx, {
          id: template.id,
          userAcl: merged(before.userAcl, userPerms),
          groupAcl: merged(before.groupAcl, groupPerms),
          updatedAt: ctx.now(),
        });
        await audit(tx, ctx, { action: "write", type: "template", before, after, request: req });
      });
      return { message: "Successfully updated template ACL list." };
    }),
  ];
}

/** Who cannot change a template does not learn who may use it. */
async function changeable(ctx: Ctx, store: AuthzStore, id: string): Promise<Template> {
  const template = await store.getTemplateById(ctx, { id });
  if (template.deleted || !can(ctx.actor, "update", templateKind.of(template))) throw new NotFound();
  return template;
}

async function loadGroups(ctx: Ctx, store: AuthzStore, { organizationId }: Template, ids: readonly string[]) {
  const system = ctx.as(actors.system, why);
  const groups = await store.getGroupsOfAcl(system, { ids: [...ids], organizationId });
  const members = await store.getGroupMembersOfAcl(system, { groupIds: groups.map(({ g }) => g.id) });
  return groups.map((row) =>
    toGroup(
      row,
      members.filter(({ groupId }) => groupId === row.g.id).map(({ u }) => u),
    ),
  );
}

type Perms = Readonly<Record<string, string>>;

async function checkEntries(
  ctx: Ctx,
  store: AuthzStore,
  { organizationId }: Template,
  { userPerms, groupPerms }: { readonly userPerms: Perms; readonly groupPerms: Perms },
): Promise<void> {
  const system = ctx.as(actors.system, why);
  const problems: ValidationError[] = [];
  const userIds = given(userPerms, "user_perms", problems);
  const groupIds = given(groupPerms, "group_perms", problems);
  const users = new Set((await store.getUsersOfAcl(system, { ids: userIds })).map(({ id }) => id));
  const groups = new Set(
    (await store.getGroupsOfAcl(system, { ids: groupIds, organizationId })).map(({ g }) => g.id),
  );
  const missing = (ids: readonly string[], found: ReadonlySet<string>, field: string) =>
    ids
      .filter((id) => !found.has(id))
      .map((id) => ({ field, detail: `nobody has the id ${JSON.stringify(id)}` }));
  problems.push(...missing(userIds, users, "user_perms"), ...missing(groupIds, groups, "group_perms"));
  if (problems.length > 0) {
    throw new Invalid("Invalid request to update template ACL", { validations: problems });
  }
}

/** Ids that must exist: those that are given a role. */
function given(perms: Perms, field: string, problems: ValidationError[]): string[] {
  const entries = Object.entries(perms);
  if (entries.length > maxEntries) {
    problems.push({ field, detail: `at most ${maxEntries} entries, not ${entries.length}` });
    return [];
  }
  return entries.flatMap(([key, role]) => {
    const id = parseUuid(key);
    if (role !== "" && role !== "use" && role !== "admin") {
      problems.push({ field, detail: `role ${JSON.stringify(role)} is not a valid template role` });
    } else if (id === undefined) problems.push({ field, detail: `${JSON.stringify(key)} is no id` });
    else if (role !== "") return [id];
    return [];
  });
}

function merged(acl: TemplateAcl, perms: Perms): TemplateAcl {
  const out = new Map(Object.entries(acl));
  for (const [key, role] of Object.entries(perms)) {
    const id = parseUuid(key) ?? key;
    if (role === "admin" || role === "use") out.set(id, [...actionsOfRole[role]]);
    else out.delete(id);
  }
  if (out.size > maxEntries) {
    throw new Invalid(`A template's access list has at most ${maxEntries} entries, not ${out.size}.`);
  }
  return Object.fromEntries(out);
}

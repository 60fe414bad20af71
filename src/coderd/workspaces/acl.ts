/** With whom a workspace is shared (spec authorization §10): roles on the wire, actions in the row. */
import { parseUuid } from "#codersdk/uuid.ts";
import type { ValidationError } from "#codersdk/response.ts";
import { type UpdateWorkspaceACL, type WorkspaceACL, workspaces } from "#codersdk/workspaces.ts";
import type { Ctx } from "../ctx.ts";
import { toGroup } from "../database/db2sdk/groups.ts";
import type { AuthzStore } from "../database/dbauthz/dbauthz.ts";
import type { Workspace } from "../database/gen/models.gen.ts";
import type { WorkspaceAcl } from "../database/types.ts";
import { Forbidden, Invalid } from "../errors.ts";
import { bind, type BoundRoute } from "../httpapi/bind.ts";
import { noBody } from "../httpapi/reply.ts";
import { actors } from "../rbac/actors.ts";
import { can } from "../rbac/subject.ts";
import { workspace as workspaceKind } from "../database/dbauthz/kinds.ts";
import { actionsOfRole, roleOf } from "../workspaceview/sharing.ts";
import { findWorkspace } from "../workspaceview/load.ts";
import { recordChange } from "./change.ts";
import type { ReadDeps } from "./read.ts";

/** Most entries of one request, and of a workspace. */
const maxEntries = 1000;

export function aclRoutes(deps: ReadDeps): BoundRoute[] {
  return [
    bind(workspaces.acl, async (ctx, req) => {
      const { w: workspace } = await findWorkspace(deps, ctx, { id: req.params.workspace });
      return readAcl(ctx, deps.store, workspace);
    }),
    bind(workspaces.setAcl, async (ctx, req) => {
      const { w: workspace } = await findWorkspace(deps, ctx, { id: req.params.workspace });
      await mustBeShareable(ctx, deps.store, workspace);
      const body = req.body();
      await checkEntries(ctx, deps.store, workspace, body);
      await write(ctx, deps, workspace, req, (acl, kind) =>
        merged(acl, (kind === "user" ? body.user_roles : body.group_roles) ?? {}),
      );
      return noBody(204);
    }),
    bind(workspaces.clearAcl, async (ctx, req) => {
      const { w: workspace } = await findWorkspace(deps, ctx, { id: req.params.workspace });
      await mustBeShareable(ctx, deps.store, workspace);
      await write(ctx, deps, workspace, req, () => ({}));
      return noBody(204);
    }),
  ];
}

async function readAcl(ctx: Ctx, store: AuthzStore, workspace: Workspace): Promise<WorkspaceACL> {
  const { userAcl, groupAcl, organizationId } = workspace;
  const system = ctx.as(
    actors.system,
    "who is named by the access list of a workspace that the caller has read",
  );
  const [users, groups] = await Promise.all([
    store.getUsersOfAcl(system, { ids: Object.keys(userAcl) }),
    store.getGroupsOfAcl(system, { ids: Object.keys(groupAcl), organizationId }),
  ]);
  const members = await store.getGroupMembersOfAcl(system, { groupIds: groups.map(({ g }) => g.id) });
  return {
    users: users.map(({ id, username, name, avatarUrl }) => ({
      id,
      username,
      name,
      avatar_url: avatarUrl,
      role: roleOf(userAcl[id]?.permissions ?? []),
    })),
    group: groups.map((row) => ({
      ...toGroup(
        row,
        members.filter(({ groupId }) => groupId === row.g.id).map(({ u }) => u),
      ),
      role: roleOf(groupAcl[row.g.id]?.permissions ?? []),
    })),
  };
}

async function mustBeShareable(ctx: Ctx, store: AuthzStore, workspace: Workspace): Promise<void> {
  const system = ctx.as(actors.system, "whether an organization lets workspaces be shared");
  const organization = await store.getOrganizationById(system, { id: workspace.organizationId });
  if (organization.shareableWorkspaceOwners === "none") {
    throw new Forbidden("Workspace sharing is disabled for this organization.");
  }
  if (!can(ctx.actor, "share", workspaceKind.of(workspace))) {
    throw new Forbidden("You are not allowed to share this workspace.");
  }
}

async function checkEntries(
  ctx: Ctx,
  store: AuthzStore,
  { organizationId }: Workspace,
  { user_roles: userRoles = {}, group_roles: groupRoles = {} }: UpdateWorkspaceACL,
): Promise<void> {
  const sharesAll = can(ctx.actor, "share", { type: "workspace", org: organizationId });
  if (!sharesAll && Object.keys(userRoles).some((id) => parseUuid(id) === ctx.actor.id)) {
    throw new Invalid("You cannot change your own workspace sharing role.");
  }
  const system = ctx.as(actors.system, "whether those exist who are to be given access");
  const problems: ValidationError[] = [];
  const users = await store.getUsersOfAcl(system, { ids: given(userRoles, "user_roles", problems) });
  const groups = await store.getGroupsOfAcl(system, {
    ids: given(groupRoles, "group_roles", problems),
    organizationId,
  });
  missing(userRoles, new Set(users.map(({ id }) => id)), "user_roles", problems);
  missing(groupRoles, new Set(groups.map(({ g }) => g.id)), "group_roles", problems);
  if (problems.length > 0) {
    throw new Invalid("Invalid request to update workspace ACL", { validations: problems });
  }
}

type Roles = Readonly<Record<string, string>>;

/** Ids that must exist: those that are given a role. */
function given(roles: Roles, field: string, problems: ValidationError[]): string[] {
  const entries = Object.entries(roles);
  if (entries.length > maxEntries) {
    problems.push({ field, detail: `at most ${maxEntries} entries, not ${entries.length}` });
    return [];
  }
  return entries.flatMap(([key, role]) => {
    const id = parseUuid(key);
    if (role !== "" && role !== "use" && role !== "admin") {
      problems.push({ field, detail: `role ${JSON.stringify(role)} is not a valid workspace role` });
    } else if (id === undefined) {
      problems.push({ field, detail: `${JSON.stringify(key)} is no id` });
    } else if (role !== "") return [id];
    return [];
  });
}

function missing(roles: Roles, found: ReadonlySet<string>, field: string, problems: ValidationError[]): void {
  for (const [key, role] of Object.entries(roles)) {
    const id = parseUuid(key);
    if ((role !== "use" && role !== "admin") || id === undefined || found.has(id)) continue;
    problems.push({ field, detail: `nobody has the id ${JSON.stringify(key)}` });
  }
}

function merged(acl: WorkspaceAcl, roles: Roles): WorkspaceAcl {
  const out = new Map(Object.entries(acl));
  for (const [key, role] of Object.entries(roles)) {
    const id = parseUuid(key) ?? key;
    if (role === "use" || role === "admin") out.set(id, { permissions: [...actionsOfRole[role]] });
    else out.delete(id);
  }
  if (out.size > maxEntries) {
    throw new Invalid(`A workspace is shared with at most ${maxEntries}, not ${out.size}.`);
  }
  return Object.fromEntries(out);
}

async function write(
  ctx: Ctx,
  deps: ReadDeps,
  workspace: Workspace,
  request: { readonly ip: string; readonly userAgent: string },
  next: (acl: WorkspaceAcl, kind: "user" | "group") => WorkspaceAcl,
): Promise<void> {
  await deps.store.inTx(ctx, {}, async (tx) => {
    const locked = await tx.lockWorkspaceToShare(ctx, { id: workspace.id });
    const after = { userAcl: next(locked.userAcl, "user"), groupAcl: next(locked.groupAcl, "group") };
    await tx.updateWorkspaceAcl(ctx, { id: workspace.id, ...after, now: ctx.now() });
    await recordChange(ctx, tx, deps.pubsub, { workspace: locked, request, after });
  });
}

/** Routes of organizations and their members. */
import type { MemberWithUser } from "#codersdk/organizations.ts";
import { organizations } from "#codersdk/organizations.ts";
import { audit } from "../audit/audit.ts";
import type { Ctx } from "../ctx.ts";
import { isUniqueViolation } from "../database/errors.ts";
import type { AuthzStore } from "../database/dbauthz/dbauthz.ts";
import { toAssignable } from "../database/db2sdk/roles.ts";
import { toMember, toMemberWithUser, toOrganization } from "../database/db2sdk/users.ts";
import type { Organization } from "../database/gen/models.gen.ts";
import { Invalid, NotFound } from "../errors.ts";
import { bind, type BoundRoute } from "../httpapi/bind.ts";
import { parseSearch } from "../httpapi/search-query.ts";
import { resolveOrganization, resolveUser } from "../httpmw/params.ts";
import { builtInOrgRole, orgRoleNames } from "../rbac/roles.ts";
import { can } from "../rbac/subject.ts";
import { checkRoleChange, isAssignable } from "../rolecheck/rolecheck.ts";

export interface OrganizationsDeps {
  readonly store: AuthzStore;
}

export function routes(deps: OrganizationsDeps): BoundRoute[] {
  return [...lists(deps), ...members(deps), ...memberChanges(deps)];
}

function lists({ store }: OrganizationsDeps): BoundRoute[] {
  return [
    bind(organizations.list, async (ctx) => (await store.getOrganizations(ctx, {})).map(toOrganization)),
    bind(organizations.get, async (ctx, req) =>
      toOrganization(await resolveOrganization(ctx, store, req.params.organization)),
    ),
    bind(organizations.ofUser, async (ctx, req) => {
      const { user } = await resolveUser(ctx, store, req.caller, req.params.user);
      return (await store.getOrganizationsOfUser(ctx, { userId: user.id })).map(toOrganization);
    }),
    bind(organizations.ofUserByName, async (ctx, req) => {
      await resolveUser(ctx, store, req.caller, req.params.user);
      return toOrganization(await store.getOrganizationByName(ctx, { name: req.params.organizationname }));
    }),
    bind(organizations.roles, async (ctx, req) => {
      const { id } = await resolveOrganization(ctx, store, req.params.organization);
      if (!can(ctx.actor, "read", { type: "assign_org_role", org: id })) throw new NotFound();
      return orgRoleNames
        .map((name) => toAssignable(builtInOrgRole(name, id), id, isAssignable(ctx.actor, name, id)))
        .toSorted((a, b) => (a.name < b.name ? -1 : 1));
    }),
  ];
}

interface MembersQuery {
  readonly q: string;
  readonly after_id?: string | undefined;
  readonly limit?: number;
  readonly offset?: number;
}

async function listMembers(
  store: AuthzStore,
  ctx: Ctx,
  organization: Organization,
  query: MembersQuery,
): Promise<{ readonly members: MemberWithUser[]; readonly search: string }> {
  const found = parseSearch(query.q, {
    what: "member",
    free: "search",
    keys: { search: "string", user_id: "uuid", include_system: "bool", github_user_id: "int" },
  });
  const rows = await store.getOrganizationMembers(ctx, {
    organizationId: organization.id,
    userId: found.user_id,
    includeSystem: found.include_system ?? false,
    githubComUserId: found.github_user_id,
    search: found.search,
    afterId: query.after_id,
    limitCount: query.limit ?? 0,
    offsetCount: query.offset ?? 0,
  });
  return { members: rows.map(({ m, u }) => toMemberWithUser(m, u)), search: found.search };
}

async function oneMember(store: AuthzStore, ctx: Ctx, organization: Organization, userId: string) {
  const [row] = await store.getOrganizationMembers(ctx, {
    organizationId: organization.id,
    userId,
    includeSystem: true,
    search: "",
    limitCount: 1,
    offsetCount: 0,
  });
  if (row === undefined) throw new NotFound();
  return row;
}

function members({ store }: OrganizationsDeps): BoundRoute[] {
  return [
    bind(organizations.members, async (ctx, req) => {
      const organization = await resolveOrganization(ctx, store, req.params.organization);
      return (await listMembers(store, ctx, organization, req.query())).members;
    }),
    bind(organizations.membersPage, async (ctx, req) => {
      const organization = await resolveOrganization(ctx, store, req.params.organization);
      const { members: page, search } = await listMembers(store, ctx, organization, req.query());
      const { count } = await store.countOrganizationMembers(ctx, {
        organizationId: organization.id,
        search,
      });
      return { members: page, count };
    }),
    bind(organizations.member, async (ctx, req) => {
      const organization = await resolveOrganization(ctx, store, req.params.organization);
      const { user } = await resolveUser(ctx, store, req.caller, req.params.user);
      const { m, u } = await oneMember(store, ctx, organization, user.id);
      return toMemberWithUser(m, u);
    }),
  ];
}

function memberChanges({ store }: OrganizationsDeps): BoundRoute[] {
  return [
    bind(organizations.addMember, async (ctx, req) => {
      const organization = await resolveOrganization(ctx, store, req.params.organization);
      const { user } = await resolveUser(ctx, store, req.caller, req.params.user);
      checkRoleChange(ctx.actor, { organizationId: organization.id, stored: [], wanted: [] });
      const now = ctx.now();
      try {
        return await store.inTx(ctx, {}, async (tx) => {
          const added = await tx.insertOrganizationMember(ctx, {
            organizationId: organization.id,
            userId: user.id,
            roles: [],
            createdAt: now,
            updatedAt: now,
          });
          const after = { ...added, username: user.username };
          await audit(tx, ctx, { action: "create", type: "organization_member", after });
          return toMember(added);
        });
      } catch (error) {
        if (!isUniqueViolation(error)) throw error;
        throw new Invalid("The user is already a member of this organization.", { cause: error });
      }
    }),
    bind(organizations.removeMember, async (ctx, req) => {
      const organization = await resolveOrganization(ctx, store, req.params.organization);
      const { user } = await resolveUser(ctx, store, req.caller, req.params.user);
      const { m } = await oneMember(store, ctx, organization, user.id);
      if (user.id === ctx.actor.id) throw new Invalid("You cannot remove yourself from an organization.");
      await store.inTx(ctx, {}, async (tx) => {
        await tx.deleteOrganizationMember(ctx, { organizationId: organization.id, userId: user.id });
        const before = { ...m, username: user.username };
        await audit(tx, ctx, { action: "delete", type: "organization_member", before, statusCode: 204 });
      });
      return undefined;
    }),
    bind(organizations.updateMemberRoles, async (ctx, req) => {
      const organization = await resolveOrganization(ctx, store, req.params.organization);
      const { user } = await resolveUser(ctx, store, req.caller, req.params.user);
      const { m } = await oneMember(store, ctx, organization, user.id);
      if (user.id === ctx.actor.id) throw new Invalid("You cannot change your own organization roles.");
      const roles = Array.from(new Set(req.body().roles));
      checkRoleChange(ctx.actor, { organizationId: organization.id, stored: m.roles, wanted: roles });
      return store.inTx(ctx, {}, async (tx) => {
        const changed = await tx.updateOrganizationMemberRoles(ctx, {
          organizationId: organization.id,
          userId: user.id,
          roles,
          updatedAt: ctx.now(),
        });
        const { username } = user;
        await audit(tx, ctx, {
          action: "write",
          type: "organization_member",
          before: { ...m, username },
          after: { ...changed, username },
        });
        return toMember(changed);
      });
    }),
  ];
}

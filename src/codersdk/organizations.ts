/** Organizations and who belongs to them. */
import { endpoint } from "./endpoint.ts";
import { AssignableRole, SlimRole } from "./roles.ts";
import { LoginType, UpdateRoles, UserStatus } from "./users.ts";
import * as w from "./wire.ts";

export const Organization = w.struct("Organization", {
  id: w.uuid("required"),
  name: w.string(),
  display_name: w.string(),
  icon: w.string(),
  description: w.string(),
  created_at: w.time("required"),
  updated_at: w.time("required"),
  is_default: w.bool("required"),
});
export type Organization = w.Infer<typeof Organization>;

const memberFields = {
  user_id: w.uuid(),
  organization_id: w.uuid(),
  created_at: w.time(),
  updated_at: w.time(),
  roles: w.list(SlimRole),
};

export const OrganizationMember = w.struct("OrganizationMember", memberFields);
export type OrganizationMember = w.Infer<typeof OrganizationMember>;

export const MemberWithUser = w.struct("OrganizationMemberWithUserData", {
  username: w.string(),
  name: w.omit(w.string()),
  avatar_url: w.omit(w.string()),
  email: w.string(),
  status: UserStatus,
  login_type: LoginType,
  last_seen_at: w.time(),
  user_created_at: w.time(),
  user_updated_at: w.time(),
  is_service_account: w.omit(w.bool()),
  global_roles: w.list(SlimRole),
  has_ai_seat: w.bool(),
  ...memberFields,
});
export type MemberWithUser = w.Infer<typeof MemberWithUser>;

export const MembersPage = w.struct("PaginatedMembersResponse", {
  members: w.list(MemberWithUser),
  count: w.int(),
});

const organization = "/api/v2/organizations/{organization}";
const member = `${organization}/members/{user}` as const;

export const organizations = {
  list: endpoint({
    method: "GET",
    path: "/api/v2/organizations",
    auth: "session",
    responses: { 200: w.list(Organization) },
    summary: "Organizations that the caller may see",
  }),
  get: endpoint({
    method: "GET",
    path: organization,
    auth: "session",
    responses: { 200: Organization },
    summary: "An organization by id, name or `default`",
  }),
  ofUser: endpoint({
    method: "GET",
    path: "/api/v2/users/{user}/organizations",
    auth: "session",
    responses: { 200: w.list(Organization) },
    summary: "Organizations of a user",
  }),
  ofUserByName: endpoint({
    method: "GET",
    path: "/api/v2/users/{user}/organizations/{organizationname}",
    auth: "session",
    responses: { 200: Organization },
    summary: "An organization by its name",
  }),
  members: endpoint({
    method: "GET",
    path: `${organization}/members`,
    auth: "session",
    query: { q: "string" },
    responses: { 200: w.list(MemberWithUser) },
    summary: "Members of an organization",
  }),
  membersPage: endpoint({
    method: "GET",
    path: `${organization}/paginated-members`,
    auth: "session",
    query: { q: "string", after_id: "uuid", limit: "int", offset: "int" },
    responses: { 200: MembersPage },
    summary: "Members of an organization, by pages",
  }),
  roles: endpoint({
    method: "GET",
    path: `${organization}/members/roles`,
    auth: "session",
    responses: { 200: w.list(AssignableRole) },
    summary: "Roles of an organization, and which of them the caller may give",
  }),
  member: endpoint({
    method: "GET",
    path: member,
    auth: "session",
    responses: { 200: MemberWithUser },
    summary: "One member",
  }),
  addMember: endpoint({
    method: "POST",
    path: member,
    auth: "session",
    responses: { 200: OrganizationMember },
    audit: "create AuditableOrganizationMember",
    summary: "Add a user to an organization",
  }),
  removeMember: endpoint({
    method: "DELETE",
    path: member,
    auth: "session",
    responses: { 204: null },
    audit: "delete AuditableOrganizationMember",
    summary: "Remove a member; his workspaces stay",
  }),
  updateMemberRoles: endpoint({
    method: "PUT",
    path: `${member}/roles`,
    auth: "session",
    body: UpdateRoles,
    responses: { 200: OrganizationMember },
    audit: "write AuditableOrganizationMember",
    summary: "Set the organization roles of a member",
  }),
};

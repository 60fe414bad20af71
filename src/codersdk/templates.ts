/** Templates: what workspaces are made from. */
import { endpoint } from "./endpoint.ts";
import { ProvisionerType } from "./provisionerjobs.ts";
import { Response } from "./response.ts";
import { TemplateVersion } from "./templateversions.ts";
import { WorkspaceAgentPortShareLevel } from "./workspaceagents.ts";
import { groupFields } from "./groups.ts";
import { ReducedUser, User } from "./users.ts";
import * as w from "./wire.ts";

export const CORSBehavior = w.enums("simple", "passthru");
export type CORSBehavior = w.Infer<typeof CORSBehavior>;

export const TemplateAutostartRequirement = w.struct("TemplateAutostartRequirement", {
  /** Names of days, in any case. */
  days_of_week: w.list(w.string()),
});
export type TemplateAutostartRequirement = w.Infer<typeof TemplateAutostartRequirement>;

export const TemplateAutostopRequirement = w.struct("TemplateAutostopRequirement", {
  /** Names of days, in any case. */
  days_of_week: w.list(w.string()),
  weeks: w.int(),
});
export type TemplateAutostopRequirement = w.Infer<typeof TemplateAutostopRequirement>;

export const TransitionStats = w.struct("TransitionStats", {
  P50: w.nullable(w.int()),
  P95: w.nullable(w.int()),
});
export type TransitionStats = w.Infer<typeof TransitionStats>;

export const TemplateBuildTimeStats = w.map(TransitionStats);
export type TemplateBuildTimeStats = w.Infer<typeof TemplateBuildTimeStats>;

export const Template = w.struct("Template", {
  id: w.uuid(),
  created_at: w.time(),
  updated_at: w.time(),
  organization_id: w.uuid(),
  organization_name: w.string(),
  organization_display_name: w.string(),
  organization_icon: w.string(),
  name: w.string(),
  display_name: w.string(),
  provisioner: ProvisionerType,
  active_version_id: w.uuid(),
  active_user_count: w.int(),
  build_time_stats: TemplateBuildTimeStats,
  description: w.string(),
  deprecated: w.bool(),
  deprecation_message: w.string(),
  deleted: w.bool(),
  icon: w.string(),
  default_ttl_ms: w.int(),
  activity_bump_ms: w.int(),
  autostop_requirement: TemplateAutostopRequirement,
  autostart_requirement: TemplateAutostartRequirement,
  created_by_id: w.uuid(),
  created_by_name: w.string(),
  allow_user_autostart: w.bool(),
  allow_user_autostop: w.bool(),
  allow_user_cancel_workspace_jobs: w.bool(),
  failure_ttl_ms: w.int(),
  time_til_dormant_ms: w.int(),
  time_til_dormant_autodelete_ms: w.int(),
  require_active_version: w.bool(),
  max_port_share_level: WorkspaceAgentPortShareLevel,
  cors_behavior: CORSBehavior,
  use_classic_parameter_flow: w.bool(),
  disable_module_cache: w.bool(),
});
export type Template = w.Infer<typeof Template>;

export const CreateTemplateRequest = w.struct("CreateTemplateRequest", {
  name: w.string("template_name,required"),
  display_name: w.omit(w.string("template_display_name")),
  description: w.omit(w.string("lt=128")),
  icon: w.omit(w.string()),
  template_version_id: w.uuid("required"),
  default_ttl_ms: w.ptr(w.int()),
  activity_bump_ms: w.ptr(w.int()),
  autostop_requirement: w.ptr(TemplateAutostopRequirement),
  autostart_requirement: w.ptr(TemplateAutostartRequirement),
  allow_user_cancel_workspace_jobs: w.nullable(w.bool()),
  allow_user_autostart: w.ptr(w.bool()),
  allow_user_autostop: w.ptr(w.bool()),
  failure_ttl_ms: w.ptr(w.int()),
  dormant_ttl_ms: w.ptr(w.int()),
  delete_ttl_ms: w.ptr(w.int()),
  disable_everyone_group_access: w.bool(),
  require_active_version: w.bool(),
  max_port_share_level: w.nullable(WorkspaceAgentPortShareLevel),
  template_use_classic_parameter_flow: w.ptr(w.bool()),
  cors_behavior: w.nullable(CORSBehavior),
});
export type CreateTemplateRequest = w.Infer<typeof CreateTemplateRequest>;

export const UpdateTemplateMeta = w.struct("UpdateTemplateMeta", {
  name: w.ptr(w.string("omitempty,template_name")),
  display_name: w.ptr(w.string("omitempty,template_display_name")),
  description: w.ptr(w.string()),
  icon: w.ptr(w.string()),
  default_ttl_ms: w.ptr(w.int()),
  activity_bump_ms: w.ptr(w.int()),
  autostop_requirement: w.ptr(TemplateAutostopRequirement),
  autostart_requirement: w.ptr(TemplateAutostartRequirement),
  allow_user_autostart: w.ptr(w.bool()),
  allow_user_autostop: w.ptr(w.bool()),
  allow_user_cancel_workspace_jobs: w.ptr(w.bool()),
  failure_ttl_ms: w.ptr(w.int()),
  time_til_dormant_ms: w.ptr(w.int()),
  time_til_dormant_autodelete_ms: w.ptr(w.int()),
  update_workspace_last_used_at: w.ptr(w.bool()),
  update_workspace_dormant_at: w.ptr(w.bool()),
  require_active_version: w.ptr(w.bool()),
  deprecation_message: w.ptr(w.string()),
  disable_everyone_group_access: w.ptr(w.bool()),
  max_port_share_level: w.ptr(WorkspaceAgentPortShareLevel),
  cors_behavior: w.ptr(CORSBehavior),
  use_classic_parameter_flow: w.ptr(w.bool()),
  disable_module_cache: w.ptr(w.bool()),
});
export type UpdateTemplateMeta = w.Infer<typeof UpdateTemplateMeta>;

export const UpdateActiveTemplateVersion = w.struct("UpdateActiveTemplateVersion", {
  id: w.uuid("required"),
});
export type UpdateActiveTemplateVersion = w.Infer<typeof UpdateActiveTemplateVersion>;

export const ArchiveTemplateVersionsRequest = w.struct("ArchiveTemplateVersionsRequest", {
  all: w.bool(),
});
export type ArchiveTemplateVersionsRequest = w.Infer<typeof ArchiveTemplateVersionsRequest>;

/** Upstream's document has no schema for it. */
export const ArchiveTemplateVersionsResponse = w.struct("ArchiveTemplateVersionsResponse", {
  template_id: w.uuid(),
  archived_ids: w.nullList(w.uuid()),
});
export type ArchiveTemplateVersionsResponse = w.Infer<typeof ArchiveTemplateVersionsResponse>;

export const TemplateExample = w.struct("TemplateExample", {
  /** A name, though the stock document calls it a uuid. */
  id: w.string(),
  url: w.string(),
  name: w.string(),
  description: w.string(),
  icon: w.string(),
  tags: w.nullList(w.string()),
  markdown: w.string(),
});
export type TemplateExample = w.Infer<typeof TemplateExample>;

export const DAUEntry = w.struct("DAUEntry", {
  date: w.string(),
  amount: w.int(),
});
export type DAUEntry = w.Infer<typeof DAUEntry>;

export const DAUsResponse = w.struct("DAUsResponse", {
  entries: w.nullList(DAUEntry),
  tz_hour_offset: w.int(),
});
export type DAUsResponse = w.Infer<typeof DAUsResponse>;

export const TemplateRole = w.enums("admin", "use", "");
export type TemplateRole = w.Infer<typeof TemplateRole>;

export const TemplateUser = w.struct("TemplateUser", { ...User.shape, role: TemplateRole });
export type TemplateUser = w.Infer<typeof TemplateUser>;

export const TemplateGroup = w.struct("TemplateGroup", { ...groupFields, role: TemplateRole });
export type TemplateGroup = w.Infer<typeof TemplateGroup>;

export const TemplateACL = w.struct("TemplateACL", {
  users: w.list(TemplateUser),
  group: w.list(TemplateGroup),
});
export type TemplateACL = w.Infer<typeof TemplateACL>;

export const UpdateTemplateACL = w.struct("UpdateTemplateACL", {
  /** Id → role; the empty role removes. Unknown roles are told in the answer's validations. */
  user_perms: w.omit(w.map(w.string())),
  group_perms: w.omit(w.map(w.string())),
});
export type UpdateTemplateACL = w.Infer<typeof UpdateTemplateACL>;

export const Group = w.struct("Group", groupFields);
export type Group = w.Infer<typeof Group>;

export const ACLAvailable = w.struct("ACLAvailable", { users: w.list(ReducedUser), groups: w.list(Group) });
export type ACLAvailable = w.Infer<typeof ACLAvailable>;

export const templates = {
  list: endpoint({
    method: "GET",
    path: "/api/v2/templates",
    auth: "session",
    query: { q: "string" },
    responses: { 200: w.list(Template) },
    summary: "Templates that the caller may read",
  }),
  listOfOrganization: endpoint({
    method: "GET",
    path: "/api/v2/organizations/{organization}/templates",
    auth: "session",
    query: { q: "string" },
    responses: { 200: w.list(Template) },
    summary: "Templates of an organization",
  }),
  create: endpoint({
    method: "POST",
    path: "/api/v2/organizations/{organization}/templates",
    auth: "session",
    body: CreateTemplateRequest,
    responses: { 201: Template },
    audit: "create,write Template,TemplateVersion",
    summary: "Create a template from a version",
  }),
  getByName: endpoint({
    method: "GET",
    path: "/api/v2/organizations/{organization}/templates/{templatename}",
    auth: "session",
    responses: { 200: Template },
    summary: "A template by name",
  }),
  get: endpoint({
    method: "GET",
    path: "/api/v2/templates/{template}",
    auth: "session",
    uuidParams: ["template"],
    responses: { 200: Template },
    summary: "A template",
  }),
  update: endpoint({
    method: "PATCH",
    path: "/api/v2/templates/{template}",
    auth: "session",
    uuidParams: ["template"],
    body: UpdateTemplateMeta,
    responses: { 200: Template },
    audit: "write Template",
    summary: "Change a template's settings",
  }),
  remove: endpoint({
    method: "DELETE",
    path: "/api/v2/templates/{template}",
    auth: "session",
    uuidParams: ["template"],
    responses: { 200: Response },
    audit: "delete Template",
    summary: "Delete a template without workspaces",
  }),
  versions: endpoint({
    method: "GET",
    path: "/api/v2/templates/{template}/versions",
    auth: "session",
    uuidParams: ["template"],
    query: { after_id: "uuid", include_archived: "bool", limit: "int", offset: "int" },
    responses: { 200: w.list(TemplateVersion) },
    summary: "Versions of a template",
  }),
  promote: endpoint({
    method: "PATCH",
    path: "/api/v2/templates/{template}/versions",
    auth: "session",
    uuidParams: ["template"],
    body: UpdateActiveTemplateVersion,
    responses: { 200: Response },
    audit: "write Template",
    summary: "Make a version the active one",
  }),
  archiveVersions: endpoint({
    method: "POST",
    path: "/api/v2/templates/{template}/versions/archive",
    auth: "session",
    uuidParams: ["template"],
    body: ArchiveTemplateVersionsRequest,
    responses: { 200: ArchiveTemplateVersionsResponse },
    audit: "write Template",
    summary: "Archive unused versions",
  }),
  versionByName: endpoint({
    method: "GET",
    path: "/api/v2/templates/{template}/versions/{templateversionname}",
    auth: "session",
    uuidParams: ["template"],
    responses: { 200: TemplateVersion },
    summary: "A version by name",
  }),
  acl: endpoint({
    method: "GET",
    path: "/api/v2/templates/{template}/acl",
    auth: "session",
    uuidParams: ["template"],
    responses: { 200: TemplateACL },
    summary: "Who may use or change a template",
  }),
  setAcl: endpoint({
    method: "PATCH",
    path: "/api/v2/templates/{template}/acl",
    auth: "session",
    uuidParams: ["template"],
    body: UpdateTemplateACL,
    responses: { 200: Response },
    summary: "Say who may use or change a template",
  }),
  aclAvailable: endpoint({
    method: "GET",
    path: "/api/v2/templates/{template}/acl/available",
    auth: "session",
    uuidParams: ["template"],
    responses: { 200: ACLAvailable },
    summary: "Who can be given access to a template",
  }),
  examples: endpoint({
    method: "GET",
    path: "/api/v2/templates/examples",
    auth: "session",
    responses: { 200: w.list(TemplateExample) },
    summary: "Starter templates",
  }),
  examplesOfOrganization: endpoint({
    method: "GET",
    path: "/api/v2/organizations/{organization}/templates/examples",
    auth: "session",
    responses: { 200: w.list(TemplateExample) },
    summary: "Starter templates",
  }),
  daus: endpoint({
    method: "GET",
    path: "/api/v2/templates/{template}/daus",
    auth: "session",
    uuidParams: ["template"],
    query: { tz_offset: "int" },
    responses: { 200: DAUsResponse },
    summary: "Daily active users",
  }),
};

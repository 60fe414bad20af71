/** Versions of templates: an import job, and what it found. */
import { endpoint } from "./endpoint.ts";
import {
  MatchedProvisioners,
  ProvisionerJob,
  ProvisionerJobLog,
  ProvisionerStorageMethod,
  ProvisionerType,
} from "./provisionerjobs.ts";
import { Response } from "./response.ts";
import { WorkspaceBuildParameter, WorkspaceResource } from "./workspacebuilds.ts";
import * as w from "./wire.ts";

export const MinimalUser = w.struct("MinimalUser", {
  id: w.uuid("required"),
  username: w.string("required"),
  name: w.omit(w.string()),
  avatar_url: w.omit(w.string()),
});
export type MinimalUser = w.Infer<typeof MinimalUser>;

export const TemplateVersion = w.struct("TemplateVersion", {
  id: w.uuid(),
  template_id: w.ptr(w.uuid()),
  organization_id: w.uuid(),
  created_at: w.time(),
  updated_at: w.time(),
  name: w.string(),
  message: w.string(),
  job: ProvisionerJob,
  readme: w.string(),
  created_by: MinimalUser,
  archived: w.bool(),
  warnings: w.omit(w.enums("DEPRECATED_PARAMETERS")),
  matched_provisioners: w.ptr(MatchedProvisioners),
  has_external_agent: w.bool(),
});
export type TemplateVersion = w.Infer<typeof TemplateVersion>;

export const TemplateVersionWarning = w.enums("UNSUPPORTED_WORKSPACES");
export type TemplateVersionWarning = w.Infer<typeof TemplateVersionWarning>;

export const VariableValue = w.struct("VariableValue", {
  name: w.string(),
  value: w.string(),
});
export type VariableValue = w.Infer<typeof VariableValue>;

export const CreateTemplateVersionRequest = w.struct("CreateTemplateVersionRequest", {
  name: w.omit(w.string("omitempty,template_version_name")),
  message: w.omit(w.string("lt=1048577")),
  template_id: w.uuid(),
  storage_method: ProvisionerStorageMethod,
  file_id: w.uuid("required_without=example_id"),
  example_id: w.omit(w.string("required_without=file_id")),
  provisioner: ProvisionerType,
  tags: w.map(w.string()),
  user_variable_values: w.omit(w.list(VariableValue)),
});
export type CreateTemplateVersionRequest = w.Infer<typeof CreateTemplateVersionRequest>;

export const PatchTemplateVersionRequest = w.struct("PatchTemplateVersionRequest", {
  name: w.string("omitempty,template_version_name"),
  message: w.ptr(w.string("omitempty,lt=1048577")),
});
export type PatchTemplateVersionRequest = w.Infer<typeof PatchTemplateVersionRequest>;

export const TemplateVersionParameterOption = w.struct("TemplateVersionParameterOption", {
  name: w.string(),
  description: w.string(),
  value: w.string(),
  icon: w.string(),
});
export type TemplateVersionParameterOption = w.Infer<typeof TemplateVersionParameterOption>;

export const ValidationMonotonicOrder = w.enums("increasing", "decreasing");
export type ValidationMonotonicOrder = w.Infer<typeof ValidationMonotonicOrder>;

export const TemplateVersionParameter = w.struct("TemplateVersionParameter", {
  name: w.string(),
  display_name: w.omit(w.string()),
  description: w.string(),
  description_plaintext: w.string(),
  type: w.enums("string", "number", "bool", "list(string)"),
  form_type: w.enums(
    "",
    "radio",
    "dropdown",
    "input",
    "textarea",
    "slider",
    "checkbox",
    "switch",
    "tag-select",
    "multi-select",
    "error",
  ),
  mutable: w.bool(),
  default_value: w.string(),
  icon: w.string(),
  options: w.list(TemplateVersionParameterOption),
  validation_error: w.omit(w.string()),
  validation_regex: w.omit(w.string()),
  validation_min: w.ptr(w.int()),
  validation_max: w.ptr(w.int()),
  validation_monotonic: w.omit(ValidationMonotonicOrder),
  required: w.bool(),
  ephemeral: w.bool(),
});
export type TemplateVersionParameter = w.Infer<typeof TemplateVersionParameter>;

export const TemplateVersionExternalAuth = w.struct("TemplateVersionExternalAuth", {
  id: w.string(),
  type: w.string(),
  display_name: w.string(),
  display_icon: w.string(),
  authenticate_url: w.string(),
  authenticated: w.bool(),
  optional: w.omit(w.bool()),
});
export type TemplateVersionExternalAuth = w.Infer<typeof TemplateVersionExternalAuth>;

export const TemplateVersionVariable = w.struct("TemplateVersionVariable", {
  name: w.string(),
  description: w.string(),
  type: w.enums("string", "number", "bool"),
  value: w.string(),
  default_value: w.string(),
  required: w.bool(),
  sensitive: w.bool(),
});
export type TemplateVersionVariable = w.Infer<typeof TemplateVersionVariable>;

export const PresetParameter = w.struct("PresetParameter", {
  Name: w.string(),
  Value: w.string(),
});
export type PresetParameter = w.Infer<typeof PresetParameter>;

export const Preset = w.struct("Preset", {
  ID: w.uuid(),
  Name: w.string(),
  Parameters: w.nullList(PresetParameter),
  Default: w.bool(),
  DesiredPrebuildInstances: w.nullable(w.int()),
  Description: w.string(),
  Icon: w.string(),
});
export type Preset = w.Infer<typeof Preset>;

export const CreateTemplateVersionDryRunRequest = w.struct("CreateTemplateVersionDryRunRequest", {
  workspace_name: w.string(),
  rich_parameter_values: w.nullList(WorkspaceBuildParameter),
  user_variable_values: w.omit(w.list(VariableValue)),
});
export type CreateTemplateVersionDryRunRequest = w.Infer<typeof CreateTemplateVersionDryRunRequest>;

export const templateversions = {
  create: endpoint({
    method: "POST",
    path: "/api/v2/organizations/{organization}/templateversions",
    auth: "session",
    body: CreateTemplateVersionRequest,
    responses: { 201: TemplateVersion },
    audit: "create TemplateVersion",
    summary: "Import template files as a version",
  }),
  get: endpoint({
    method: "GET",
    path: "/api/v2/templateversions/{templateversion}",
    auth: "session",
    uuidParams: ["templateversion"],
    responses: { 200: TemplateVersion },
    summary: "A template version",
  }),
  update: endpoint({
    method: "PATCH",
    path: "/api/v2/templateversions/{templateversion}",
    auth: "session",
    uuidParams: ["templateversion"],
    body: PatchTemplateVersionRequest,
    responses: { 200: TemplateVersion },
    summary: "Rename a version or change its message",
  }),
  cancel: endpoint({
    method: "PATCH",
    path: "/api/v2/templateversions/{templateversion}/cancel",
    auth: "session",
    uuidParams: ["templateversion"],
    responses: { 200: Response },
    summary: "Stop a version's import",
  }),
  logs: endpoint({
    method: "GET",
    path: "/api/v2/templateversions/{templateversion}/logs",
    auth: "session",
    uuidParams: ["templateversion"],
    query: { before: "int64", after: "int64", follow: "present", format: "string" },
    responses: { 200: w.list(ProvisionerJobLog) },
    stream: ["websocket"],
    summary: "Log of the import",
  }),
  resources: endpoint({
    method: "GET",
    path: "/api/v2/templateversions/{templateversion}/resources",
    auth: "session",
    uuidParams: ["templateversion"],
    responses: { 200: w.list(WorkspaceResource) },
    summary: "Resources that a started workspace would have",
  }),
  richParameters: endpoint({
    method: "GET",
    path: "/api/v2/templateversions/{templateversion}/rich-parameters",
    auth: "session",
    uuidParams: ["templateversion"],
    responses: { 200: w.list(TemplateVersionParameter) },
    summary: "Parameters of a version",
  }),
  externalAuth: endpoint({
    method: "GET",
    path: "/api/v2/templateversions/{templateversion}/external-auth",
    auth: "session",
    uuidParams: ["templateversion"],
    responses: { 200: w.list(TemplateVersionExternalAuth) },
    summary: "External sign-ins that a version needs",
  }),
  variables: endpoint({
    method: "GET",
    path: "/api/v2/templateversions/{templateversion}/variables",
    auth: "session",
    uuidParams: ["templateversion"],
    responses: { 200: w.list(TemplateVersionVariable) },
    summary: "Variables of a version",
  }),
  presets: endpoint({
    method: "GET",
    path: "/api/v2/templateversions/{templateversion}/presets",
    auth: "session",
    uuidParams: ["templateversion"],
    responses: { 200: w.list(Preset) },
    summary: "Presets of a version",
  }),
  schema: endpoint({
    method: "GET",
    path: "/api/v2/templateversions/{templateversion}/schema",
    auth: "session",
    uuidParams: ["templateversion"],
    responses: { 200: null },
    summary: "For old clients: always empty",
  }),
  parameters: endpoint({
    method: "GET",
    path: "/api/v2/templateversions/{templateversion}/parameters",
    auth: "session",
    uuidParams: ["templateversion"],
    responses: { 200: null },
    summary: "For old clients: always empty",
  }),
  archive: endpoint({
    method: "POST",
    path: "/api/v2/templateversions/{templateversion}/archive",
    auth: "session",
    uuidParams: ["templateversion"],
    responses: { 200: w.string() },
    audit: "write TemplateVersion",
    summary: "Archive an unused version",
  }),
  unarchive: endpoint({
    method: "POST",
    path: "/api/v2/templateversions/{templateversion}/unarchive",
    auth: "session",
    uuidParams: ["templateversion"],
    responses: { 200: w.string() },
    audit: "write TemplateVersion",
    summary: "Bring an archived version back",
  }),
  dryRun: endpoint({
    method: "POST",
    path: "/api/v2/templateversions/{templateversion}/dry-run",
    auth: "session",
    uuidParams: ["templateversion"],
    body: CreateTemplateVersionDryRunRequest,
    responses: { 201: ProvisionerJob },
    summary: "Plan a workspace without making it",
  }),
  dryRunJob: endpoint({
    method: "GET",
    path: "/api/v2/templateversions/{templateversion}/dry-run/{jobID}",
    auth: "session",
    uuidParams: ["templateversion", "jobID"],
    responses: { 200: ProvisionerJob },
    summary: "A dry run",
  }),
  dryRunMatched: endpoint({
    method: "GET",
    path: "/api/v2/templateversions/{templateversion}/dry-run/{jobID}/matched-provisioners",
    auth: "session",
    uuidParams: ["templateversion", "jobID"],
    responses: { 200: MatchedProvisioners },
    summary: "Daemons that could take a dry run",
  }),
  dryRunResources: endpoint({
    method: "GET",
    path: "/api/v2/templateversions/{templateversion}/dry-run/{jobID}/resources",
    auth: "session",
    uuidParams: ["templateversion", "jobID"],
    responses: { 200: w.list(WorkspaceResource) },
    summary: "Resources of a dry run",
  }),
  dryRunLogs: endpoint({
    method: "GET",
    path: "/api/v2/templateversions/{templateversion}/dry-run/{jobID}/logs",
    auth: "session",
    uuidParams: ["templateversion", "jobID"],
    query: { before: "int64", after: "int64", follow: "present", format: "string" },
    responses: { 200: w.list(ProvisionerJobLog) },
    stream: ["websocket"],
    summary: "Log of a dry run",
  }),
  dryRunCancel: endpoint({
    method: "PATCH",
    path: "/api/v2/templateversions/{templateversion}/dry-run/{jobID}/cancel",
    auth: "session",
    uuidParams: ["templateversion", "jobID"],
    responses: { 200: Response },
    summary: "Stop a dry run",
  }),
  getByName: endpoint({
    method: "GET",
    path: "/api/v2/organizations/{organization}/templates/{templatename}/versions/{templateversionname}",
    auth: "session",
    responses: { 200: TemplateVersion },
    summary: "A version by template and name",
  }),
  previous: endpoint({
    method: "GET",
    path: "/api/v2/organizations/{organization}/templates/{templatename}/versions/{templateversionname}/previous",
    auth: "session",
    responses: { 200: TemplateVersion, 204: null },
    summary: "The version before that one",
  }),
};

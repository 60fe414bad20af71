/** Jobs of provisioner daemons, as users see them. */
import { endpoint } from "./endpoint.ts";
import * as w from "./wire.ts";

export const ProvisionerType = w.enums("echo", "terraform");
export type ProvisionerType = w.Infer<typeof ProvisionerType>;

export const JobErrorCode = w.enums("REQUIRED_TEMPLATE_VARIABLES", "INSUFFICIENT_QUOTA");
export type JobErrorCode = w.Infer<typeof JobErrorCode>;

export const ProvisionerJobInput = w.struct("ProvisionerJobInput", {
  template_version_id: w.ptr(w.uuid()),
  workspace_build_id: w.ptr(w.uuid()),
  error: w.omit(w.string()),
});
export type ProvisionerJobInput = w.Infer<typeof ProvisionerJobInput>;

export const WorkspaceTransition = w.enums("start", "stop", "delete");
export type WorkspaceTransition = w.Infer<typeof WorkspaceTransition>;

export const ProvisionerJobMetadata = w.struct("ProvisionerJobMetadata", {
  template_version_name: w.string(),
  template_id: w.uuid(),
  template_name: w.string(),
  template_display_name: w.string(),
  template_icon: w.string(),
  workspace_id: w.ptr(w.uuid()),
  workspace_name: w.omit(w.string()),
  workspace_build_transition: w.omit(WorkspaceTransition),
});
export type ProvisionerJobMetadata = w.Infer<typeof ProvisionerJobMetadata>;

export const ProvisionerJobStatus = w.enums(
  "pending",
  "running",
  "succeeded",
  "canceling",
  "canceled",
  "failed",
  "unknown",
);
export type ProvisionerJobStatus = w.Infer<typeof ProvisionerJobStatus>;

export const ProvisionerJobType = w.enums(
  "template_version_import",
  "workspace_build",
  "template_version_dry_run",
);
export type ProvisionerJobType = w.Infer<typeof ProvisionerJobType>;

export const ProvisionerJob = w.struct("ProvisionerJob", {
  id: w.uuid(),
  created_at: w.time(),
  started_at: w.ptr(w.time()),
  completed_at: w.ptr(w.time()),
  canceled_at: w.ptr(w.time()),
  error: w.omit(w.string()),
  error_code: w.omit(JobErrorCode),
  status: ProvisionerJobStatus,
  worker_id: w.ptr(w.uuid()),
  worker_name: w.omit(w.string()),
  file_id: w.uuid(),
  tags: w.map(w.string()),
  queue_position: w.int(),
  queue_size: w.int(),
  organization_id: w.uuid(),
  initiator_id: w.uuid(),
  input: ProvisionerJobInput,
  type: ProvisionerJobType,
  available_workers: w.omit(w.list(w.uuid())),
  metadata: ProvisionerJobMetadata,
  logs_overflowed: w.bool(),
});
export type ProvisionerJob = w.Infer<typeof ProvisionerJob>;

export const MatchedProvisioners = w.struct("MatchedProvisioners", {
  count: w.int(),
  available: w.int(),
  most_recently_seen: w.nullable(w.time()),
});
export type MatchedProvisioners = w.Infer<typeof MatchedProvisioners>;

export const ProvisionerStorageMethod = w.enums("file");
export type ProvisionerStorageMethod = w.Infer<typeof ProvisionerStorageMethod>;

export const LogLevel = w.enums("trace", "debug", "info", "warn", "error");
export type LogLevel = w.Infer<typeof LogLevel>;

export const LogSource = w.enums("provisioner_daemon", "provisioner");
export type LogSource = w.Infer<typeof LogSource>;

export const ProvisionerJobLog = w.struct("ProvisionerJobLog", {
  id: w.int(),
  created_at: w.time(),
  log_source: LogSource,
  log_level: LogLevel,
  stage: w.string(),
  output: w.string(),
});
export type ProvisionerJobLog = w.Infer<typeof ProvisionerJobLog>;

export const TimingStage = w.enums("init", "plan", "graph", "apply", "start", "stop", "cron", "connect");
export type TimingStage = w.Infer<typeof TimingStage>;

export const ProvisionerTiming = w.struct("ProvisionerTiming", {
  job_id: w.uuid(),
  started_at: w.time(),
  ended_at: w.time(),
  stage: TimingStage,
  source: w.string(),
  action: w.string(),
  resource: w.string(),
});
export type ProvisionerTiming = w.Infer<typeof ProvisionerTiming>;

export const provisionerjobs = {
  list: endpoint({
    method: "GET",
    path: "/api/v2/organizations/{organization}/provisionerjobs",
    auth: "session",
    query: { limit: "int", ids: "uuid", status: "string", tags: "string", initiator: "uuid" },
    responses: { 200: w.list(ProvisionerJob) },
    summary: "Provisioner jobs",
  }),
  get: endpoint({
    method: "GET",
    path: "/api/v2/organizations/{organization}/provisionerjobs/{job}",
    auth: "session",
    uuidParams: ["job"],
    query: { ids: "string", initiator: "uuid", limit: "int", status: "strings", tags: "string" },
    responses: { 200: ProvisionerJob },
    summary: "A provisioner job",
  }),
};

/** About the deployment as a whole: build, features, configuration. */
import { endpoint } from "./endpoint.ts";
import { Response } from "./response.ts";
import * as w from "./wire.ts";

export const BuildInfo = w.struct("BuildInfoResponse", {
  external_url: w.string(),
  version: w.string(),
  dashboard_url: w.string(),
  telemetry: w.bool(),
  workspace_proxy: w.bool(),
  agent_api_version: w.string(),
  provisioner_api_version: w.string(),
  upgrade_message: w.string(),
  deployment_id: w.string(),
  webpush_public_key: w.omit(w.string()),
});
export type BuildInfo = w.Infer<typeof BuildInfo>;

export const Feature = w.struct("Feature", {
  entitlement: w.enums("entitled", "grace_period", "not_entitled"),
  enabled: w.bool(),
  limit: w.ptr(w.int()),
  actual: w.ptr(w.int()),
});
export type Feature = w.Infer<typeof Feature>;

export const Entitlements = w.struct("Entitlements", {
  features: w.map(Feature),
  warnings: w.list(w.string()),
  errors: w.list(w.string()),
  has_license: w.bool(),
  trial: w.bool(),
  require_telemetry: w.bool(),
  refreshed_at: w.time(),
});
export type Entitlements = w.Infer<typeof Entitlements>;

export const SshConfig = w.struct("SSHConfigResponse", {
  hostname_prefix: w.string(),
  hostname_suffix: w.string(),
  ssh_config_options: w.map(w.string()),
});
export type SshConfig = w.Infer<typeof SshConfig>;

export const UpdateCheck = w.struct("UpdateCheckResponse", {
  current: w.bool(),
  version: w.string(),
  url: w.string(),
});

/** One server option: where it can be set, and what it is now. Secrets are blank. */
export const DeploymentOption = w.struct("Option", {
  name: w.string(),
  description: w.string(),
  flag: w.string(),
  env: w.string(),
  yaml: w.string(),
  default: w.string(),
  value: w.json(),
  value_source: w.string(),
  hidden: w.bool(),
});
export type DeploymentOption = w.Infer<typeof DeploymentOption>;

export const DeploymentConfig = w.struct("DeploymentConfig", {
  config: w.omit(w.map(w.json())),
  options: w.omit(w.list(DeploymentOption)),
});
export type DeploymentConfig = w.Infer<typeof DeploymentConfig>;

export const deployment = {
  apiRoot: endpoint({
    method: "GET",
    path: "/api/v2",
    auth: "none",
    responses: { 200: Response },
    summary: "A wave, for load balancers",
  }),
  buildInfo: endpoint({
    method: "GET",
    path: "/api/v2/buildinfo",
    auth: "none",
    responses: { 200: BuildInfo },
    summary: "Version and addresses of this server",
  }),
  healthz: endpoint({
    method: "GET",
    path: "/healthz",
    auth: "none",
    rate: "none",
    responses: { 200: { raw: "text/plain; charset=utf-8" } },
    summary: "Liveness",
  }),
  latencyCheck: endpoint({
    method: "GET",
    path: "/latency-check",
    auth: "none",
    rate: "none",
    responses: { 200: { raw: "text/plain; charset=utf-8" } },
    summary: "Target of latency measurements by browsers",
  }),
  updateCheck: endpoint({
    method: "GET",
    path: "/api/v2/updatecheck",
    auth: "none",
    responses: { 200: UpdateCheck },
    summary: "Whether a newer version is known",
  }),
  swagger: endpoint({
    method: "GET",
    path: "/swagger/{path...}",
    auth: "none",
    rate: "none",
    // Recorded as a path with a star.
    ours: true,
    responses: { 404: Response },
    summary: "Answers that this server serves no interactive API documentation",
  }),
  initScript: endpoint({
    method: "GET",
    path: "/api/v2/init-script/{os}/{arch}",
    auth: "none",
    responses: { 200: { raw: "text/plain; charset=utf-8" } },
    summary: "What a new machine runs first, for agents with a token",
  }),
  cspReport: endpoint({
    method: "POST",
    path: "/api/v2/csp/reports",
    auth: "none",
    csrf: "exempt",
    body: w.map(w.json()),
    responses: { 200: w.string() },
    summary: "Where browsers report violations of the content security policy",
  }),
  entitlements: endpoint({
    method: "GET",
    path: "/api/v2/entitlements",
    auth: "session",
    responses: { 200: Entitlements },
    summary: "Features of this deployment",
  }),
  experiments: endpoint({
    method: "GET",
    path: "/api/v2/experiments",
    auth: "session",
    responses: { 200: w.list(w.string()) },
    summary: "Experiments that are on",
  }),
  availableExperiments: endpoint({
    method: "GET",
    path: "/api/v2/experiments/available",
    auth: "session",
    responses: { 200: w.struct("AvailableExperiments", { safe: w.list(w.string()) }) },
    summary: "Experiments that `*` switches on",
  }),
  config: endpoint({
    method: "GET",
    path: "/api/v2/deployment/config",
    auth: "session",
    responses: { 200: DeploymentConfig },
    summary: "Server options and their values, secrets blanked",
  }),
  sshConfig: endpoint({
    method: "GET",
    path: "/api/v2/deployment/ssh",
    auth: "session",
    responses: { 200: SshConfig },
    summary: "Settings for ssh clients",
  }),
};

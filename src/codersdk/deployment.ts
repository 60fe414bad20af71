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
};

/** Routes about the deployment as a whole: probes, build, features, configuration. */
import { provisionerApiVersion, version } from "#buildinfo/buildinfo.ts";
import { deployment } from "#codersdk/deployment.ts";
import { bind, type BoundRoute } from "../httpapi/bind.ts";

export interface DeploymentDeps {
  readonly accessUrl: string;
  readonly deploymentId: string;
}

export function routes(deps: DeploymentDeps): BoundRoute[] {
  return [
    bind(deployment.apiRoot, () => ({ message: "👋" })),
    bind(deployment.buildInfo, () => ({
      external_url: "https://github.com/coder/coder",
      version,
      dashboard_url: deps.accessUrl,
      telemetry: false,
      workspace_proxy: false,
      agent_api_version: "1.0",
      provisioner_api_version: provisionerApiVersion,
      upgrade_message: "",
      deployment_id: deps.deploymentId,
    })),
    bind(deployment.healthz, () => Buffer.from("OK")),
    bind(deployment.latencyCheck, () => Buffer.from("OK")),
  ];
}

/** Routes about the deployment as a whole: probes, build, features, configuration. */
import { provisionerApiVersion, version } from "#buildinfo/buildinfo.ts";
import { deployment, type DeploymentOption } from "#codersdk/deployment.ts";
import type { Entitlements } from "#codersdk/deployment.ts";
import { Forbidden } from "../errors.ts";
import { bind, type BoundRoute } from "../httpapi/bind.ts";
import { reply } from "../httpapi/reply.ts";
import { can } from "../rbac/subject.ts";

export interface SshClientConfig {
  readonly hostnamePrefix: string;
  readonly hostnameSuffix: string;
  readonly options: Readonly<Record<string, string>>;
}

/** One server option as it was set; `secret` ones are shown without their value. */
export interface SetOption extends Omit<DeploymentOption, "value"> {
  readonly value: unknown;
  readonly secret: boolean;
}

export interface DeploymentDeps {
  readonly accessUrl: () => string;
  readonly deploymentId: string;
  readonly upgradeMessage: string;
  readonly experiments: readonly string[];
  readonly entitlements: Entitlements;
  readonly options: readonly SetOption[];
  readonly ssh: SshClientConfig;
}

const projectUrl = "https://github.com/coder/coder";

export function routes(deps: DeploymentDeps): BoundRoute[] {
  return [...probes(deps), ...settings(deps)];
}

function probes(deps: DeploymentDeps): BoundRoute[] {
  return [
    bind(deployment.apiRoot, () => ({ message: "👋" })),
    bind(deployment.buildInfo, () => ({
      external_url: projectUrl,
      version,
      dashboard_url: deps.accessUrl(),
      telemetry: false,
      workspace_proxy: false,
      agent_api_version: "1.0",
      provisioner_api_version: provisionerApiVersion,
      upgrade_message: deps.upgradeMessage,
      deployment_id: deps.deploymentId,
    })),
    bind(deployment.healthz, () => Buffer.from("OK")),
    bind(deployment.latencyCheck, () =>
      reply(200, Buffer.from("OK"), {
        headers: {
          "access-control-allow-origin": "*",
          "access-control-allow-headers": "*",
          "access-control-allow-methods": "*",
          "access-control-allow-credentials": "false",
          "timing-allow-origin": "*",
        },
      }),
    ),
    // Update checks ask nobody: the answer is that this version is current.
    bind(deployment.updateCheck, () => ({ current: true, version, url: projectUrl })),
    bind(deployment.swagger, () => reply(404, { message: "Swagger documentation is disabled." })),
    bind(deployment.cspReport, (ctx, req) => {
      ctx.log.warn("a browser reported a violation of the content security policy", { report: req.body() });
      return "ok";
    }),
  ];
}

function settings(deps: DeploymentDeps): BoundRoute[] {
  return [
    bind(deployment.entitlements, () => deps.entitlements),
    bind(deployment.experiments, () => deps.experiments),
    bind(deployment.availableExperiments, () => ({ safe: [] })),
    bind(deployment.config, (ctx) => {
      if (!can(ctx.actor, "read", { type: "deployment_config" })) throw new Forbidden();
      return { config: {}, options: deps.options.map(shown) };
    }),
    bind(deployment.sshConfig, () => ({
      hostname_prefix: deps.ssh.hostnamePrefix,
      hostname_suffix: deps.ssh.hostnameSuffix,
      ssh_config_options: deps.ssh.options,
    })),
  ];
}

function shown({ secret, ...option }: SetOption): DeploymentOption {
  return secret ? { ...option, value: "", default: "" } : option;
}

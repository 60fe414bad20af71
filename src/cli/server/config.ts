/** From the server's options to the plain configuration that the control plane takes. */
import type { CoderdConfig } from "#coderd/config.ts";
import { allServerOptions, serverOptions as o } from "#coderd/deployment/options.ts";
import { optionName, yamlKey } from "#serpent/option.ts";
import type { Values } from "#serpent/resolve.ts";
import type { Logger } from "#slog/slog.ts";
import { UserError } from "../errors.ts";
import { parsePairs } from "../parameters.ts";

/** Known, so that a deployment moves over without errors; told at the start, so that nobody relies on them. */
const withoutEffect = [
  o.docsUrl,
  o.derpServerRegionId,
  o.derpServerRegionCode,
  o.derpServerRegionName,
  o.provisionerForceCancelInterval,
  o.jobHangDetectorInterval,
  o.agentStatsRefreshInterval,
];

export function warnWithoutEffect(values: Values, log: Logger): void {
  for (const option of withoutEffect) {
    if (values.isSet(option)) log.warn("this option has no effect yet", { option: optionName(option) });
  }
}

export function coderdConfig(values: Values): Partial<CoderdConfig> {
  const accessUrl = values.get(o.accessUrl).replace(/\/+$/, "");
  if (accessUrl !== "" && (!URL.canParse(accessUrl) || !/^https?:$/.test(new URL(accessUrl).protocol))) {
    throw new UserError(
      `access-url must include a scheme (http:// or https://): received ${JSON.stringify(accessUrl)}`,
    );
  }
  return {
    accessUrl: accessUrl || undefined,
    redirectToAccessUrl: values.get(o.redirectToAccessUrl),
    upgradeMessage: values.get(o.cliUpgradeMessage),
    experiments: values.get(o.experiments),
    limits: {
      api: values.get(o.apiRateLimit),
      login: 60,
      files: 12,
      disabled: values.get(o.disableRateLimits),
    },
    cookies: {
      secure: values.get(o.secureAuthCookie),
      sameSite: values.get(o.sameSiteAuthCookie),
      hostPrefix: false,
    },
    sessions: {
      sessionMs: values.get(o.sessionDuration),
      defaultTokenMs: values.get(o.defaultTokenLifetime),
      maxTokenMs: values.get(o.maxTokenLifetime),
      maxAdminTokenMs: values.get(o.maxAdminTokenLifetime),
    },
    disableSessionRefresh: values.get(o.disableSessionExpiryRefresh),
    disablePasswordAuth: values.get(o.disablePasswordAuth),
    provisionerPsk: values.get(o.provisionerDaemonPsk),
    proxyTrust: { origins: values.get(o.proxyTrustedOrigins), headers: values.get(o.proxyTrustedHeaders) },
    features: { browser_only: values.get(o.browserOnly), scim: false, external_token_encryption: false },
    ssh: {
      hostnamePrefix: values.get(o.sshHostnamePrefix),
      hostnameSuffix: values.get(o.workspaceHostnameSuffix),
      options: Object.fromEntries(
        parsePairs(values.get(o.sshConfigOptions)).map(({ name, value }) => [name, value]),
      ),
    },
    network: {
      derpEnabled: values.get(o.derpServerEnable),
      forceWebSockets: values.get(o.derpForceWebSockets),
      blockDirect: values.get(o.blockDirect),
      browserOnly: values.get(o.browserOnly),
    },
    agentTroubleshootingUrl: values.get(o.agentFallbackTroubleshootingUrl),
    options: allServerOptions.map((option) => ({
      name: optionName(option),
      description: option.description ?? "",
      flag: option.flag ?? "",
      env: option.env ?? "",
      yaml: yamlKey(option) ?? "",
      default: option.default ?? "",
      hidden: option.hidden ?? false,
      value: values.get(option),
      value_source: values.source(option),
      secret: option.secret ?? false,
    })),
  };
}

export interface Address {
  readonly host: string;
  readonly port: number;
}

/** `host:port`, IPv6 in brackets; an empty host is every address. */
export function parseAddress(text: string): Address {
  const match = /^(?:\[([^\]]*)\]|([^:]*)):(\d{1,5})$/.exec(text);
  const port = Number(match?.[3]);
  if (!match || port > 65_535) {
    throw new UserError(`an address is given as host:port: received ${JSON.stringify(text)}`);
  }
  return { host: match[1] ?? (match[2] || "0.0.0.0"), port };
}

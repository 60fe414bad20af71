/** From the server's options to the plain configuration that the control plane takes. */
import type { CoderdConfig } from "#coderd/config.ts";
import { allServerOptions, serverOptions as o } from "#coderd/deployment/options.ts";
import { parseSchedule, ScheduleError } from "#coderd/schedule/cron.ts";
import type { RelayRegion } from "#net/derp/map.ts";
import { type Option, optionName, yamlKey } from "#serpent/option.ts";
import type { Values } from "#serpent/resolve.ts";
import { UserError } from "../errors.ts";
import { parsePairs } from "../parameters.ts";

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
      relayRegion: relayRegion(values),
    },
    allowWorkspaceRenames: values.get(o.allowWorkspaceRenames),
    terraformDebugMode: values.get(o.enableTerraformDebugMode),
    quietHours: quietHours(values.get(o.defaultQuietHoursSchedule)),
    jobReaperIntervalMs: positive(values, o.jobHangDetectorInterval),
    agentStatsIntervalMs: positive(values, o.agentStatsRefreshInterval),
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

/** Daily; an unreadable one is told at the start, not at the end of a build. */
function quietHours(text: string): string {
  try {
    parseSchedule(text, "daily");
    return text;
  } catch (error) {
    if (!(error instanceof ScheduleError)) throw error;
    throw new UserError(`default-quiet-hours-schedule is no daily schedule: ${error.message}`);
  }
}

/** Regions are numbered from 1 to 2^31 − 1 on every peer's map. */
function relayRegion(values: Values): RelayRegion {
  const id = values.get(o.derpServerRegionId);
  if (id < 1 || id > 0x7fff_ffff) {
    throw new UserError(`derp-server-region-id must be between 1 and 2147483647: received ${id}`);
  }
  return { id, code: values.get(o.derpServerRegionCode), name: values.get(o.derpServerRegionName) };
}

/** Milliseconds of an option that says how often something happens. */
export function positive(values: Values, option: Option<number>): number {
  const value = values.get(option);
  if (value <= 0) throw new UserError(`${optionName(option)} must be longer than 0s: received ${value}ms`);
  return value;
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

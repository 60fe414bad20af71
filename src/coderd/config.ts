/** What a server can be told, as plain data. `coder server` makes it of its options; tests of what they need. */
import { defaultRelayRegion } from "#net/derp/map.ts";
import { defaultSessionTimes, type SessionTimes } from "./apikey/apikey.ts";
import type { SetOption, SshClientConfig } from "./deployment/routes.ts";
import type { OptionalFeatures } from "./features.ts";
import type { ProxyTrust } from "./httpmw/client-ip.ts";
import { reaperIntervalMs } from "./jobreaper/jobreaper.ts";
import type { CookieOptions } from "./httpmw/cookies.ts";
import type { RateLimits } from "./httpmw/guard.ts";
import type { NetworkConfig } from "./tailnet/network.ts";
import { defaultQuietHours } from "./schedule/quiet-hours.ts";
import type { RoleOptions } from "./rbac/roles.ts";

export interface CoderdConfig {
  /** Undefined: `http://` and the address that it listens on. */
  readonly accessUrl: string | undefined;
  /** Send requests for other hosts there. */
  readonly redirectToAccessUrl: boolean;
  /** Shown by clients of another version. */
  readonly upgradeMessage: string;
  readonly experiments: readonly string[];
  readonly limits: RateLimits;
  readonly cookies: CookieOptions;
  readonly sessions: SessionTimes;
  readonly disableSessionRefresh: boolean;
  readonly disablePasswordAuth: boolean;
  /** Wanted from callers of `POST /users/first` that are not on this machine. Undefined: a random one, `Coderd.setupSecret`. */
  readonly setupSecret: string | undefined;
  readonly provisionerPsk: string;
  readonly proxyTrust: ProxyTrust;
  readonly roles: RoleOptions;
  readonly features: OptionalFeatures;
  readonly ssh: SshClientConfig;
  /** Where to read on when an agent does not connect and its template names no page. */
  readonly agentTroubleshootingUrl: string;
  readonly allowWorkspaceRenames: boolean;
  /** Administrators may ask for builds that log what Terraform says of itself. */
  readonly terraformDebugMode: boolean;
  /** When workspaces of users without quiet hours of their own may be stopped. */
  readonly quietHours: string;
  readonly network: NetworkConfig;
  /** How often to look for jobs that nobody works on. */
  readonly jobReaperIntervalMs: number;
  /** How often agents report statistics. */
  readonly agentStatsIntervalMs: number;
  /** `*.apps.example.com`; empty without one. */
  readonly wildcardHost: string;
  /** For `GET /deployment/config`. */
  readonly options: readonly SetOption[];
}

export const defaultConfig: CoderdConfig = {
  accessUrl: undefined,
  redirectToAccessUrl: false,
  upgradeMessage: "",
  experiments: [],
  limits: { api: 512, login: 60, files: 12, disabled: false },
  cookies: { secure: false, sameSite: "lax", hostPrefix: false },
  sessions: defaultSessionTimes,
  disableSessionRefresh: false,
  disablePasswordAuth: false,
  setupSecret: undefined,
  provisionerPsk: "",
  proxyTrust: { origins: [], headers: [] },
  roles: {},
  features: { browser_only: false, scim: false, external_token_encryption: false },
  ssh: { hostnamePrefix: "coder.", hostnameSuffix: "coder", options: {} },
  agentTroubleshootingUrl: "https://coder.com/docs/admin/templates/troubleshooting",
  allowWorkspaceRenames: false,
  terraformDebugMode: false,
  quietHours: defaultQuietHours,
  network: {
    derpEnabled: true,
    forceWebSockets: false,
    blockDirect: false,
    browserOnly: false,
    relayRegion: defaultRelayRegion,
  },
  jobReaperIntervalMs: reaperIntervalMs,
  agentStatsIntervalMs: 30_000,
  wildcardHost: "",
  options: [],
};

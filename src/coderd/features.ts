/** What `GET /entitlements` says. Everything is free here, so every feature that exists is entitled. */
import type { Entitlements, Feature } from "#codersdk/deployment.ts";

const always = [
  "user_limit",
  "audit_log",
  "connection_log",
  "template_rbac",
  "user_role_management",
  "high_availability",
  "multiple_external_auth",
  "external_provisioner_daemons",
  "appearance",
  "advanced_template_scheduling",
  "workspace_proxy",
  "workspace_batch_actions",
  "task_batch_actions",
  "access_control",
  "control_shared_ports",
  "custom_roles",
  "multiple_organizations",
  "workspace_prebuilds",
  "managed_agent_limit",
  "workspace_external_agent",
  "service_accounts",
  "ai_governance_user_limit",
] as const;

/** Switched on by an option; clients change their behaviour when they see them enabled. */
export interface OptionalFeatures {
  readonly browser_only: boolean;
  readonly scim: boolean;
  readonly external_token_encryption: boolean;
}

/** Features that this server does not have. */
const missing = ["aibridge", "boundary"] as const;

export function entitlements(options: OptionalFeatures, startedAt: Date): Entitlements {
  const features: Record<string, Feature> = {};
  for (const name of always) features[name] = { entitlement: "entitled", enabled: true };
  for (const [name, enabled] of Object.entries(options)) {
    features[name] = { entitlement: "entitled", enabled };
  }
  for (const name of missing) features[name] = { entitlement: "not_entitled", enabled: false };
  return {
    features,
    warnings: [],
    errors: [],
    has_license: true,
    trial: false,
    require_telemetry: false,
    refreshed_at: startedAt,
  };
}

/** The variables that the provider reads, from the job's messages. Both engines give each run its own map. */
import { createHash } from "node:crypto";
import {
  PrebuiltWorkspaceBuildStage,
  WorkspaceTransition,
  type ExternalAuthProvider,
  type Metadata,
  type RichParameterValue,
} from "#rpc/gen/provisionersdk_pb.js";
import { parameterVariable, previousParameterVariable } from "./data/parameter.ts";

export interface EnvironmentInput {
  /** Absent in a job without one: the provider's defaults hold. */
  readonly metadata?: Metadata | undefined;
  readonly richParameterValues?: readonly RichParameterValue[];
  readonly previousParameterValues?: readonly RichParameterValue[];
  readonly externalAuthProviders?: readonly ExternalAuthProvider[];
}

/** What an agent runs first, by `<os>_<arch>` in Go's names. `${ACCESS_URL}` and `${AUTH_TYPE}` are filled later. */
export type AgentScripts = Readonly<Record<string, string>>;

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

export function transitionName(transition: WorkspaceTransition): string {
  switch (transition) {
    case WorkspaceTransition.STOP:
      return "stop";
    case WorkspaceTransition.DESTROY:
      return "destroy";
    default:
      return "start";
  }
}

const noTask = "00000000-0000-0000-0000-000000000000";

function workspaceVariables(metadata: Metadata): Record<string, string> {
  const groups = metadata.workspaceOwnerGroups;
  const roles = metadata.workspaceOwnerRbacRoles.map(({ name, orgId }) => ({ name, org_id: orgId }));
  return {
    CODER_AGENT_URL: metadata.coderUrl,
    CODER_WORKSPACE_TRANSITION: transitionName(metadata.workspaceTransition),
    CODER_WORKSPACE_NAME: metadata.workspaceName,
    CODER_WORKSPACE_OWNER: metadata.workspaceOwner,
    CODER_WORKSPACE_OWNER_EMAIL: metadata.workspaceOwnerEmail,
    CODER_WORKSPACE_OWNER_NAME: metadata.workspaceOwnerName,
    CODER_WORKSPACE_OWNER_OIDC_ACCESS_TOKEN: metadata.workspaceOwnerOidcAccessToken,
    CODER_WORKSPACE_OWNER_GROUPS: groups.length === 0 ? "null" : JSON.stringify(groups),
    CODER_WORKSPACE_OWNER_SSH_PUBLIC_KEY: metadata.workspaceOwnerSshPublicKey,
    CODER_WORKSPACE_OWNER_SSH_PRIVATE_KEY: metadata.workspaceOwnerSshPrivateKey,
    CODER_WORKSPACE_OWNER_LOGIN_TYPE: metadata.workspaceOwnerLoginType,
    CODER_WORKSPACE_OWNER_RBAC_ROLES: roles.length === 0 ? "null" : JSON.stringify(roles),
    CODER_WORKSPACE_ID: metadata.workspaceId,
    CODER_WORKSPACE_OWNER_ID: metadata.workspaceOwnerId,
    CODER_WORKSPACE_OWNER_SESSION_TOKEN: metadata.workspaceOwnerSessionToken,
    CODER_WORKSPACE_TEMPLATE_ID: metadata.templateId,
    CODER_WORKSPACE_TEMPLATE_NAME: metadata.templateName,
    CODER_WORKSPACE_TEMPLATE_VERSION: metadata.templateVersion,
    CODER_WORKSPACE_BUILD_ID: metadata.workspaceBuildId,
    CODER_TASK_ID: metadata.taskId || noTask,
    CODER_TASK_PROMPT: metadata.taskPrompt,
  };
}

function stageVariables({ prebuiltWorkspaceBuildStage: stage }: Metadata): Record<string, string> {
  if (stage === PrebuiltWorkspaceBuildStage.CREATE) return { CODER_WORKSPACE_IS_PREBUILD: "true" };
  if (stage === PrebuiltWorkspaceBuildStage.CLAIM) return { CODER_WORKSPACE_IS_PREBUILD_CLAIM: "true" };
  return {};
}

/** A single agent's token is found by every agent; of several, each finds its own by its id. */
function tokenVariables({ runningAgentAuthTokens: tokens }: Metadata): Record<string, string> {
  return Object.fromEntries(
    tokens.map(({ agentId, token }) => [
      `CODER_RUNNING_WORKSPACE_AGENT_TOKEN_${sha256(tokens.length === 1 ? "" : agentId)}`,
      token,
    ]),
  );
}

export function providerEnv(input: EnvironmentInput, scripts: AgentScripts = {}): Record<string, string> {
  const { metadata } = input;
  const out: Record<string, string> = metadata
    ? { ...workspaceVariables(metadata), ...stageVariables(metadata), ...tokenVariables(metadata) }
    : {};
  for (const [platform, script] of Object.entries(scripts)) out[`CODER_AGENT_SCRIPT_${platform}`] = script;
  for (const { name, value } of input.previousParameterValues ?? []) {
    out[previousParameterVariable(name)] = value;
  }
  for (const { name, value } of input.richParameterValues ?? []) out[parameterVariable(name)] = value;
  for (const { id, accessToken } of input.externalAuthProviders ?? []) {
    out[`CODER_GIT_AUTH_ACCESS_TOKEN_${id}`] = accessToken;
    out[`CODER_EXTERNAL_AUTH_ACCESS_TOKEN_${id}`] = accessToken;
  }
  return out;
}

/**
 * The part of the map that commands which Terraform runs (local-exec, the external data source) may see: everything
 * except credentials and what is large. The provider itself gets the whole map without passing through an environment.
 */
export function publicEnv(env: Readonly<Record<string, string>>): Record<string, string> {
  const secret = /TOKEN|PRIVATE_KEY$|^CODER_AGENT_SCRIPT_/;
  return Object.fromEntries(Object.entries(env).filter(([name]) => !secret.test(name)));
}

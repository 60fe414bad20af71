/** The manifest of an agent, out of its rows (spec agent §6). Pure. */
import type { MessageInitShape } from "@bufbuild/protobuf";
import { type ManifestSchema, WorkspaceApp_Health, WorkspaceApp_SharingLevel } from "#rpc/gen/agent_pb.js";
import type { DERPMapSchema } from "#rpc/gen/tailnet_pb.js";
import { uuidBytes } from "#tailnet/addresses.ts";
import type { GetAgentForConnectionRow } from "../database/gen/agentapi.gen.ts";
import type {
  WorkspaceAgentDevcontainer,
  WorkspaceAgentMetadata,
  WorkspaceAgentScript,
  WorkspaceApp,
  WorkspaceAppHealth,
} from "../database/gen/models.gen.ts";

export interface ManifestRows {
  readonly agent: GetAgentForConnectionRow;
  readonly scripts: readonly WorkspaceAgentScript[];
  readonly apps: readonly WorkspaceApp[];
  readonly metadata: readonly WorkspaceAgentMetadata[];
  readonly devcontainers: readonly WorkspaceAgentDevcontainer[];
}

export interface ManifestSettings {
  readonly derpMap: MessageInitShape<typeof DERPMapSchema>;
  readonly disableDirectConnections: boolean;
  readonly derpForceWebsockets: boolean;
  readonly wildcardHost: string;
  readonly accessUrl: string;
}

const healths = {
  disabled: WorkspaceApp_Health.DISABLED,
  initializing: WorkspaceApp_Health.INITIALIZING,
  healthy: WorkspaceApp_Health.HEALTHY,
  unhealthy: WorkspaceApp_Health.UNHEALTHY,
} satisfies Readonly<Record<WorkspaceAppHealth, WorkspaceApp_Health>>;

const levels = {
  owner: WorkspaceApp_SharingLevel.OWNER,
  authenticated: WorkspaceApp_SharingLevel.AUTHENTICATED,
  organization: WorkspaceApp_SharingLevel.ORGANIZATION,
  public: WorkspaceApp_SharingLevel.PUBLIC,
} satisfies Readonly<Record<WorkspaceApp["sharingLevel"], WorkspaceApp_SharingLevel>>;

export function manifest(
  rows: ManifestRows,
  settings: ManifestSettings,
): MessageInitShape<typeof ManifestSchema> {
  const { agent: row, scripts, apps, metadata, devcontainers } = rows;
  const { a } = row;
  return {
    agentId: uuidBytes(a.id),
    agentName: a.name,
    ownerUsername: row.ownerUsername,
    workspaceId: uuidBytes(row.workspaceId),
    workspaceName: row.workspaceName,
    gitAuthConfigs: 0,
    environmentVariables: texts(a.environmentVariables),
    directory: a.directory,
    vsCodePortProxyUri: portProxyUri(row, settings),
    motdPath: a.motdFile,
    disableDirectConnections: settings.disableDirectConnections,
    derpForceWebsockets: settings.derpForceWebsockets,
    ...(a.parentId === null ? {} : { parentId: uuidBytes(a.parentId) }),
    derpMap: settings.derpMap,
    scripts: scripts.map(scriptMessage),
    apps: apps.map((app) => appMessage(app, row)),
    metadata: metadata.map(metadataMessage),
    devcontainers: devcontainers.map((container) => ({
      id: uuidBytes(container.id),
      name: container.name,
      workspaceFolder: container.workspaceFolder,
      configPath: container.configPath,
      ...(container.subagentId === null ? {} : { subagentId: uuidBytes(container.subagentId) }),
    })),
    secrets: [],
  };
}

function scriptMessage(script: WorkspaceAgentScript) {
  return {
    id: uuidBytes(script.id),
    logSourceId: uuidBytes(script.logSourceId),
    logPath: script.logPath,
    script: script.script,
    cron: script.cron,
    runOnStart: script.runOnStart,
    runOnStop: script.runOnStop,
    startBlocksLogin: script.startBlocksLogin,
    timeout: { seconds: BigInt(script.timeoutSeconds), nanos: 0 },
    displayName: script.displayName,
  };
}

function appMessage(app: WorkspaceApp, row: GetAgentForConnectionRow) {
  return {
    id: uuidBytes(app.id),
    url: app.url ?? "",
    external: app.external,
    slug: app.slug,
    displayName: app.displayName,
    command: app.command ?? "",
    icon: app.icon,
    subdomain: app.subdomain,
    subdomainName: app.subdomain
      ? `${app.slug}--${row.a.name}--${row.workspaceName}--${row.ownerUsername}`
      : "",
    sharingLevel: levels[app.sharingLevel],
    healthcheck: {
      url: app.healthcheckUrl,
      interval: { seconds: BigInt(app.healthcheckInterval), nanos: 0 },
      threshold: app.healthcheckThreshold,
    },
    health: healths[app.health],
    hidden: app.hidden,
  };
}

function metadataMessage(row: WorkspaceAgentMetadata) {
  return {
    displayName: row.displayName,
    key: row.key,
    script: row.script,
    // Whole seconds travel in the place of nanoseconds; stock agents read them so.
    interval: secondsAsNanoseconds(row.intervalSeconds),
    timeout: secondsAsNanoseconds(row.timeoutSeconds),
  };
}

function secondsAsNanoseconds(seconds: number): { seconds: bigint; nanos: number } {
  return { seconds: BigInt(Math.floor(seconds / 1e9)), nanos: seconds % 1e9 };
}

function portProxyUri(row: GetAgentForConnectionRow, { wildcardHost, accessUrl }: ManifestSettings): string {
  if (wildcardHost === "") return "";
  const name = `{{port}}--${row.a.name}--${row.workspaceName}--${row.ownerUsername}`;
  return `${new URL(accessUrl).protocol}//${wildcardHost.replace("*", name)}`;
}

function texts(value: unknown): Record<string, string> {
  if (typeof value !== "object" || value === null) return {};
  return Object.fromEntries(
    Object.entries(value).filter((entry): entry is [string, string] => typeof entry[1] === "string"),
  );
}

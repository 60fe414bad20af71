/** Makers for workspaces and what belongs to them; see dbgen.ts. */
import { cryptoRand } from "#cryptorand/cryptorand.ts";
import { realClock } from "#quartz/clock.ts";
import { uniqueName } from "#testutil/testutil.ts";
import type { Store } from "../db.ts";
import * as m from "../gen/models.gen.ts";
import { provisionerJob, template, user } from "./dbgen.ts";
import { insert } from "./insert.ts";

const id = (): string => cryptoRand.uuid();
const created = (): { createdAt: Date } => ({ createdAt: realClock.now() });
const stamps = (): { createdAt: Date; updatedAt: Date } => {
  const now = realClock.now();
  return { createdAt: now, updatedAt: now };
};

/** Without a build: dbfake's `workspaceBuild` makes a running one. */
export async function workspace(store: Store, over: Partial<m.Workspace> = {}): Promise<m.Workspace> {
  const organizationId = over.organizationId ?? (await store.getDefaultOrganization({})).id;
  return insert<m.Workspace>(store, "workspaces", m.workspaceColumns, {
    id: id(),
    name: uniqueName("ws"),
    ...stamps(),
    ...over,
    organizationId,
    ownerId: over.ownerId ?? (await user(store)).id,
    templateId: over.templateId ?? (await template(store, { organizationId })).id,
  });
}

/** A start build with a pending job, unless `jobId` is given. */
export async function workspaceBuild(
  store: Store,
  over: Partial<m.WorkspaceBuild> & { readonly workspaceId: string; readonly templateVersionId: string },
): Promise<m.WorkspaceBuild> {
  const buildId = over.id ?? id();
  const initiatorId = over.initiatorId ?? (await user(store)).id;
  const input = { workspace_build_id: buildId };
  const job =
    over.jobId ?? (await provisionerJob(store, { workspaceId: over.workspaceId, initiatorId, input })).id;
  return insert<m.WorkspaceBuild>(store, "workspace_builds", m.workspaceBuildColumns, {
    buildNumber: 1,
    transition: "start",
    ...stamps(),
    ...over,
    id: buildId,
    initiatorId,
    jobId: job,
  });
}

export async function workspaceBuildParameter(
  store: Store,
  over: Partial<m.WorkspaceBuildParameter> & { readonly workspaceBuildId: string },
): Promise<m.WorkspaceBuildParameter> {
  return insert<m.WorkspaceBuildParameter>(
    store,
    "workspace_build_parameters",
    m.workspaceBuildParameterColumns,
    {
      name: uniqueName("param"),
      value: "",
      ...over,
    },
  );
}

export async function workspaceResource(
  store: Store,
  over: Partial<m.WorkspaceResource> & { readonly jobId: string },
): Promise<m.WorkspaceResource> {
  return insert<m.WorkspaceResource>(store, "workspace_resources", m.workspaceResourceColumns, {
    id: id(),
    transition: "start",
    type: "null_resource",
    name: uniqueName("res"),
    ...created(),
    ...over,
  });
}

export async function workspaceResourceMetadata(
  store: Store,
  over: Partial<m.WorkspaceResourceMetadata> & { readonly workspaceResourceId: string },
): Promise<m.WorkspaceResourceMetadata> {
  const columns = m.workspaceResourceMetadataColumns;
  return insert<m.WorkspaceResourceMetadata>(store, "workspace_resource_metadata", columns, {
    key: uniqueName("key"),
    value: "value",
    ...over,
  });
}

export async function workspaceAgent(
  store: Store,
  over: Partial<m.WorkspaceAgent> & { readonly resourceId: string },
): Promise<m.WorkspaceAgent> {
  return insert<m.WorkspaceAgent>(store, "workspace_agents", m.workspaceAgentColumns, {
    id: id(),
    name: uniqueName("agent"),
    authToken: id(),
    architecture: "amd64",
    operatingSystem: "linux",
    connectionTimeoutSeconds: 120,
    displayApps: ["web_terminal", "ssh_helper"],
    ...stamps(),
    ...over,
  });
}

export async function workspaceAgentLogSource(
  store: Store,
  over: Partial<m.WorkspaceAgentLogSource> & { readonly workspaceAgentId: string },
): Promise<m.WorkspaceAgentLogSource> {
  return insert<m.WorkspaceAgentLogSource>(
    store,
    "workspace_agent_log_sources",
    m.workspaceAgentLogSourceColumns,
    {
      id: id(),
      displayName: "Startup Script",
      icon: "",
      ...created(),
      ...over,
    },
  );
}

export async function workspaceAgentLog(
  store: Store,
  over: Partial<m.WorkspaceAgentLog> & { readonly agentId: string },
): Promise<m.WorkspaceAgentLog> {
  return insert<m.WorkspaceAgentLog>(store, "workspace_agent_logs", m.workspaceAgentLogColumns, {
    logSourceId: id(),
    output: "a line",
    ...created(),
    ...over,
  });
}

export async function workspaceAgentScript(
  store: Store,
  over: Partial<m.WorkspaceAgentScript> & { readonly workspaceAgentId: string },
): Promise<m.WorkspaceAgentScript> {
  return insert<m.WorkspaceAgentScript>(store, "workspace_agent_scripts", m.workspaceAgentScriptColumns, {
    id: id(),
    logSourceId: over.logSourceId ?? (await workspaceAgentLogSource(store, over)).id,
    logPath: "",
    displayName: "script",
    script: "true",
    cron: "",
    startBlocksLogin: false,
    runOnStart: true,
    runOnStop: false,
    timeoutSeconds: 0,
    ...created(),
    ...over,
  });
}

export async function workspaceAgentMetadata(
  store: Store,
  over: Partial<m.WorkspaceAgentMetadata> & { readonly workspaceAgentId: string },
): Promise<m.WorkspaceAgentMetadata> {
  return insert<m.WorkspaceAgentMetadata>(
    store,
    "workspace_agent_metadata",
    m.workspaceAgentMetadataColumns,
    {
      key: uniqueName("key"),
      displayName: "metadata",
      script: "true",
      intervalSeconds: 10,
      timeoutSeconds: 3,
      ...over,
    },
  );
}

export async function workspaceAgentStat(
  store: Store,
  over: Partial<m.WorkspaceAgentStat> = {},
): Promise<m.WorkspaceAgentStat> {
  return insert<m.WorkspaceAgentStat>(store, "workspace_agent_stats", m.workspaceAgentStatColumns, {
    id: id(),
    userId: id(),
    agentId: id(),
    workspaceId: id(),
    templateId: id(),
    ...created(),
    ...over,
  });
}

export async function workspaceApp(
  store: Store,
  over: Partial<m.WorkspaceApp> & { readonly agentId: string },
): Promise<m.WorkspaceApp> {
  const slug = over.slug ?? uniqueName("app");
  return insert<m.WorkspaceApp>(store, "workspace_apps", m.workspaceAppColumns, {
    id: id(),
    slug,
    displayName: slug,
    icon: "",
    url: "http://127.0.0.1:8080",
    ...created(),
    ...over,
  });
}

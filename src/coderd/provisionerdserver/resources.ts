/**
 * A resource of a job's result as rows: resource, metadata, agents with everything below them (spec provisioning §6.4).
 * Used by imports and builds, in the transaction that ends the job. What a template got wrong is thrown with the fixed
 * texts, which reach users as the job's error.
 */
import type { Agent, App, Devcontainer, Env, Resource, Script } from "#rpc/gen/provisionersdk_pb.js";
import { AppOpenIn, AppSharingLevel } from "#rpc/gen/provisionersdk_pb.js";
import type { Rand } from "#cryptorand/cryptorand.ts";
import type { Ctx } from "../ctx.ts";
import type { AuthzTx } from "../database/dbauthz/dbauthz.ts";
import type {
  AppSharingLevel as Sharing,
  DisplayApp,
  WorkspaceTransition,
} from "../database/gen/models.gen.ts";
import { mergeEnvironment } from "./env-merge.ts";

export interface ResourceTarget {
  readonly jobId: string;
  readonly transition: WorkspaceTransition;
  /** Undefined for imports. */
  readonly workspaceId: string | undefined;
  readonly rand: Rand;
}

interface Place {
  readonly ctx: Ctx;
  readonly tx: AuthzTx;
  readonly target: ResourceTarget;
  readonly slugs: Set<string>;
}

const agentName = /^[a-z0-9](?:-?[a-z0-9])*$/i;
const agentNameText = "(?i)^[a-z0-9](-?[a-z0-9])*$";
const appSlug = /^[a-z0-9](?:-?[a-z0-9])*$/;
const appSlugText = "^[a-z0-9](-?[a-z0-9])*$";
const uuid = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

export async function insertResource(
  ctx: Ctx,
  tx: AuthzTx,
  target: ResourceTarget,
  resource: Resource,
): Promise<void> {
  const { jobId, transition, rand } = target;
  const id = rand.uuid();
  await tx.insertWorkspaceResource(ctx, {
    id,
    jobId,
    transition,
    type: resource.type,
    name: resource.name,
    hide: resource.hide,
    icon: resource.icon,
    instanceType: resource.instanceType === "" ? null : resource.instanceType,
    dailyCost: resource.dailyCost,
    modulePath: resource.modulePath,
    createdAt: ctx.now(),
  });
  const metadata = resource.metadata.filter((item) => !item.isNull);
  if (metadata.length > 0) {
    await tx.insertWorkspaceResourceMetadata(ctx, {
      workspaceResourceId: id,
      keys: metadata.map((item) => item.key),
      values: metadata.map((item) => item.value),
      sensitives: metadata.map((item) => item.sensitive),
    });
  }
  const place: Place = { ctx, tx, target, slugs: new Set() };
  const names = new Set<string>();
  for (const agent of resource.agents) {
    checkAgentName(agent.name, names);
    await insertAgent(place, id, agent);
  }
}

function checkAgentName(name: string, names: Set<string>): void {
  if (name === "") throw new Error("agent name cannot be empty");
  if (!agentName.test(name)) {
    if (name.includes("_")) {
      throw new Error(
        `agent name "${name}" contains underscores which are no longer supported, please use hyphens instead (regex: "${agentNameText}")`,
      );
    }
    throw new Error(`agent name "${name}" does not match regex "${agentNameText}"`);
  }
  if (names.has(name.toLowerCase())) throw new Error(`duplicate agent name "${name}"`);
  names.add(name.toLowerCase());
}

async function insertAgent(place: Place, resourceId: string, agent: Agent): Promise<void> {
  const { ctx, tx, target } = place;
  const id = target.rand.uuid();
  const createdAt = ctx.now();
  const apiKeyScope = agent.apiKeyScope === "no_user_data" ? "no_user_data" : "all";
  await tx.insertJobAgent(ctx, {
    id,
    resourceId,
    name: agent.name,
    authToken: agentToken(place, agent),
    authInstanceId: agent.auth.case === "instanceId" ? agent.auth.value : null,
    apiKeyScope,
    architecture: agent.architecture,
    operatingSystem: agent.operatingSystem,
    environmentVariables: mergeEnvironment(agent.extraEnvs, agent.env),
    directory: agent.directory,
    connectionTimeoutSeconds: agent.connectionTimeoutSeconds,
    troubleshootingUrl: agent.troubleshootingUrl,
    motdFile: agent.motdFile,
    displayApps: displayApps(agent),
    displayOrder: Number(agent.order),
    createdAt,
  });
  if (agent.metadata.length > 0) {
    await tx.insertJobAgentMetadata(ctx, {
      agentId: id,
      keys: agent.metadata.map((item) => item.key),
      displayNames: agent.metadata.map((item) => item.displayName),
      scripts: agent.metadata.map((item) => item.script),
      intervals: agent.metadata.map((item) => Number(item.interval)),
      timeouts: agent.metadata.map((item) => Number(item.timeout)),
      orders: agent.metadata.map((item) => Number(item.order)),
    });
  }
  const { memory, volumes = [] } = agent.resourcesMonitoring ?? {};
  if (memory) {
    const { enabled, threshold } = memory;
    await tx.insertJobAgentMemoryMonitor(ctx, { agentId: id, enabled, threshold, now: createdAt });
  }
  for (const { path, enabled, threshold } of volumes) {
    await tx.insertJobAgentVolumeMonitor(ctx, { agentId: id, path, enabled, threshold, now: createdAt });
  }
  const scripts = agent.scripts.map((script) => newScript(place, script));
  for (const container of agent.devcontainers) {
    scripts.push(await insertDevcontainer(place, { id, resourceId, agent, apiKeyScope }, container));
  }
  await insertScripts(place, id, scripts);
  for (const app of agent.apps) await insertApp(place, id, app);
}

function agentToken({ target }: Place, { auth }: Agent): string {
  if (auth.case !== "token" || auth.value === "") return target.rand.uuid();
  if (!uuid.test(auth.value)) {
    throw new Error(`invalid auth token format; must be uuid: received ${auth.value.length} characters`);
  }
  return auth.value;
}

function displayApps({ displayApps: shown }: Agent): DisplayApp[] {
  const out: DisplayApp[] = [];
  if (shown?.vscode) out.push("vscode");
  if (shown?.vscodeInsiders) out.push("vscode_insiders");
  if (shown?.sshHelper) out.push("ssh_helper");
  if (shown?.portForwardingHelper) out.push("port_forwarding_helper");
  if (shown?.webTerminal) out.push("web_terminal");
  return out;
}

interface NewScript {
  readonly id: string;
  readonly sourceId: string;
  readonly script: Pick<
    Script,
    | "displayName"
    | "icon"
    | "script"
    | "cron"
    | "startBlocksLogin"
    | "runOnStart"
    | "runOnStop"
    | "timeoutSeconds"
    | "logPath"
  >;
}

function newScript({ target }: Place, script: Script): NewScript {
  return { id: target.rand.uuid(), sourceId: target.rand.uuid(), script };
}

/** One log source and one script each. */
async function insertScripts(
  { ctx, tx }: Place,
  agentId: string,
  scripts: readonly NewScript[],
): Promise<void> {
  if (scripts.length === 0) return;
  const createdAt = ctx.now();
  await tx.insertJobAgentLogSources(ctx, {
    agentId,
    ids: scripts.map(({ sourceId }) => sourceId),
    displayNames: scripts.map(({ script }) => script.displayName.slice(0, 127)),
    icons: scripts.map(({ script }) => script.icon),
    createdAt,
  });
  await tx.insertJobAgentScripts(ctx, {
    agentId,
    ids: scripts.map(({ id }) => id),
    logSourceIds: scripts.map(({ sourceId }) => sourceId),
    logPaths: scripts.map(({ script }) => script.logPath),
    displayNames: scripts.map(({ script }) => script.displayName),
    scripts: scripts.map(({ script }) => script.script),
    crons: scripts.map(({ script }) => script.cron),
    startBlocksLogins: scripts.map(({ script }) => script.startBlocksLogin),
    runOnStarts: scripts.map(({ script }) => script.runOnStart),
    runOnStops: scripts.map(({ script }) => script.runOnStop),
    timeouts: scripts.map(({ script }) => script.timeoutSeconds),
    createdAt,
  });
}

interface ParentAgent {
  readonly id: string;
  readonly resourceId: string;
  readonly agent: Agent;
  readonly apiKeyScope: "all" | "no_user_data";
}

/** The container's row, an agent for it if it has anything to run there, and the script under which its log is kept. */
async function insertDevcontainer(
  place: Place,
  parent: ParentAgent,
  container: Devcontainer,
): Promise<NewScript> {
  const { ctx, tx, target } = place;
  const id = target.rand.uuid();
  const subagentId = await insertSubagent(place, parent, container);
  await tx.insertJobAgentDevcontainer(ctx, {
    id,
    agentId: parent.id,
    name: container.name,
    workspaceFolder: container.workspaceFolder,
    configPath: container.configPath,
    subagentId,
    createdAt: ctx.now(),
  });
  return {
    id,
    sourceId: target.rand.uuid(),
    script: {
      displayName: `Dev Container (${container.name})`,
      icon: "/emojis/1f4e6.png",
      script: "",
      cron: "",
      startBlocksLogin: false,
      runOnStart: false,
      runOnStop: false,
      timeoutSeconds: 0,
      logPath: "",
    },
  };
}

async function insertSubagent(
  place: Place,
  parent: ParentAgent,
  container: Devcontainer,
): Promise<string | null> {
  const { ctx, tx, target } = place;
  const { apps, scripts, envs } = container;
  if (apps.length === 0 && scripts.length === 0 && envs.length === 0) return null;
  const id = target.rand.uuid();
  await tx.insertJobAgent(ctx, {
    id,
    parentId: parent.id,
    resourceId: parent.resourceId,
    name: container.name,
    authToken: target.rand.uuid(),
    authInstanceId: null,
    apiKeyScope: parent.apiKeyScope,
    architecture: parent.agent.architecture,
    operatingSystem: parent.agent.operatingSystem,
    environmentVariables: mergeEnvironment(envs satisfies Env[], {}),
    directory: container.workspaceFolder,
    connectionTimeoutSeconds: parent.agent.connectionTimeoutSeconds,
    troubleshootingUrl: parent.agent.troubleshootingUrl,
    motdFile: "",
    displayApps: [],
    displayOrder: 0,
    createdAt: ctx.now(),
  });
  await insertScripts(
    place,
    id,
    scripts.map((script) => newScript(place, script)),
  );
  for (const app of apps) await insertApp(place, id, app);
  return id;
}

async function insertApp({ ctx, tx, target, slugs }: Place, agentId: string, app: App): Promise<void> {
  const { slug, healthcheck } = app;
  if (slug === "") throw new Error("app must have a slug or name set");
  if (!appSlug.test(slug)) throw new Error(`app slug "${slug}" does not match regex "${appSlugText}"`);
  if (slugs.has(slug)) throw new Error(`duplicate app slug, must be unique per template: "${slug}"`);
  slugs.add(slug);
  const id = uuid.test(app.id) ? app.id : target.rand.uuid();
  const row = await tx.upsertJobApp(ctx, {
    id,
    agentId,
    workspaceId: target.workspaceId ?? null,
    slug,
    displayName: app.displayName,
    icon: app.icon,
    command: app.command === "" ? null : app.command,
    url: app.url === "" ? null : app.url,
    external: app.external,
    subdomain: app.subdomain,
    sharingLevel: sharing[app.sharingLevel],
    openIn: app.openIn === AppOpenIn.TAB ? "tab" : "slim-window",
    hidden: app.hidden,
    displayOrder: Number(app.order),
    displayGroup: app.group === "" ? null : app.group,
    tooltip: app.tooltip,
    healthcheckUrl: healthcheck?.url ?? "",
    healthcheckInterval: healthcheck?.interval ?? 0,
    healthcheckThreshold: healthcheck?.threshold ?? 0,
    health: healthcheck && healthcheck.url !== "" ? "initializing" : "disabled",
    createdAt: ctx.now(),
  });
  if (!row) {
    throw new Error(
      `workspace app slug "${slug}" with ID "${id}" is already bound to a workspace-owned agent and cannot be rebound to another workspace`,
    );
  }
}

const sharing: Readonly<Record<AppSharingLevel, Sharing>> = {
  [AppSharingLevel.OWNER]: "owner",
  [AppSharingLevel.AUTHENTICATED]: "authenticated",
  [AppSharingLevel.PUBLIC]: "public",
};

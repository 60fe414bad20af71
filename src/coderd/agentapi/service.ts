/**
 * The Agent service (versions 2.0 to 2.9) for one connection. The agent, and whatever runs beside it, is not trusted:
 * every id that it names is looked up below its own (spec agent §6 to §11).
 */
import { timestampDate, type Timestamp } from "@bufbuild/protobuf/wkt";
import {
  Agent,
  AppHealth,
  Log_Level,
  Startup_Subsystem,
  Timing_Stage,
  Timing_Status,
  UpdateAppStatusRequest_AppStatusState,
  type Timing,
} from "#rpc/gen/agent_pb.js";
import { DrpcError } from "#rpc/drpc/call.ts";
import { drpcRouter, type DrpcRouter } from "#rpc/drpc/server.ts";
import { uuidText } from "#tailnet/addresses.ts";
import type { Ctx } from "../ctx.ts";
import type {
  LogLevel,
  WorkspaceAgentScriptTimingStage,
  WorkspaceAgentScriptTimingStatus,
  WorkspaceAgentSubsystem,
  WorkspaceAppHealth,
  WorkspaceAppStatusState,
} from "../database/gen/models.gen.ts";
import { publishWorkspaceEvent, type WorkspaceEventKind } from "../wspubsub/wspubsub.ts";
import { storeAppStatus } from "./appstatus.ts";
import { storeConnection } from "./connection-log.ts";
import type { AgentApiDeps, AgentIdentity } from "./deps.ts";
import { lifecycleState, lifecycleTimes } from "./lifecycle.ts";
import { storeLogs } from "./logs.ts";
import { manifest } from "./manifest.ts";
import { boundMetadata } from "./metadata.ts";
import { storeStats } from "./stats.ts";

const logLevels: Readonly<Partial<Record<Log_Level, LogLevel>>> = {
  [Log_Level.TRACE]: "trace",
  [Log_Level.DEBUG]: "debug",
  [Log_Level.INFO]: "info",
  [Log_Level.WARN]: "warn",
  [Log_Level.ERROR]: "error",
};
const subsystems: Readonly<Partial<Record<Startup_Subsystem, WorkspaceAgentSubsystem>>> = {
  [Startup_Subsystem.ENVBOX]: "envbox",
  [Startup_Subsystem.ENVBUILDER]: "envbuilder",
  [Startup_Subsystem.EXECTRACE]: "exectrace",
};
const stages: Readonly<Partial<Record<Timing_Stage, WorkspaceAgentScriptTimingStage>>> = {
  [Timing_Stage.START]: "start",
  [Timing_Stage.STOP]: "stop",
  [Timing_Stage.CRON]: "cron",
};
const statuses: Readonly<Partial<Record<Timing_Status, WorkspaceAgentScriptTimingStatus>>> = {
  [Timing_Status.OK]: "ok",
  [Timing_Status.EXIT_FAILURE]: "exit_failure",
  [Timing_Status.TIMED_OUT]: "timed_out",
  [Timing_Status.PIPES_LEFT_OPEN]: "pipes_left_open",
};
const healths: Readonly<Partial<Record<AppHealth, WorkspaceAppHealth>>> = {
  [AppHealth.DISABLED]: "disabled",
  [AppHealth.INITIALIZING]: "initializing",
  [AppHealth.HEALTHY]: "healthy",
  [AppHealth.UNHEALTHY]: "unhealthy",
};

const appStates: Readonly<Partial<Record<UpdateAppStatusRequest_AppStatusState, WorkspaceAppStatusState>>> = {
  [UpdateAppStatusRequest_AppStatusState.WORKING]: "working",
  [UpdateAppStatusRequest_AppStatusState.IDLE]: "idle",
  [UpdateAppStatusRequest_AppStatusState.COMPLETE]: "complete",
  [UpdateAppStatusRequest_AppStatusState.FAILURE]: "failure",
};

/** What a column holds of a path that an agent sends. */
const maxDirectory = 4096;

/** `ctx` acts as the agent API. */
export function agentRouter(deps: AgentApiDeps, ctx: Ctx, identity: AgentIdentity): DrpcRouter {
  const { store } = deps;
  const { agentId, ownerId, workspaceId } = identity;
  const publish = (kind: WorkspaceEventKind): Promise<void> =>
    publishWorkspaceEvent(deps.pubsub, ownerId, { kind, workspaceId, agentId });

  return drpcRouter(Agent, {
    async getManifest() {
      const arg = { agentId };
      const [agent, scripts, apps, metadata, devcontainers] = await Promise.all([
        store.getAgentForConnection(ctx, arg),
        store.getAgentScripts(ctx, arg),
        store.getAgentApps(ctx, arg),
        store.getAgentMetadata(ctx, arg),
        store.getAgentDevcontainers(ctx, arg),
      ]);
      return manifest(
        { agent, scripts, apps, metadata, devcontainers },
        {
          derpMap: deps.network.derpMap(),
          disableDirectConnections: deps.network.config.blockDirect,
          derpForceWebsockets: deps.network.config.forceWebSockets,
          wildcardHost: deps.wildcardHost,
          accessUrl: deps.accessUrl(),
        },
      );
    },

    getServiceBanner: () => ({ enabled: false, message: "", backgroundColor: "" }),
    getAnnouncementBanners: () => ({ announcementBanners: [] }),

    async updateStats({ stats }) {
      if (stats) await storeStats(deps, ctx, { identity, stats });
      return { reportInterval: durationOf(deps.agentStatsIntervalMs) };
    },

    async updateLifecycle({ lifecycle }) {
      const state = lifecycle ? lifecycleState(lifecycle.state) : undefined;
      if (!lifecycle || !state) throw new DrpcError(`unknown lifecycle state: ${lifecycle?.state ?? "none"}`);
      const { a } = await store.getAgentForConnection(ctx, { agentId });
      const times = lifecycleTimes(a, state, dateOf(lifecycle.changedAt) ?? ctx.now());
      await store.updateAgentLifecycle(ctx, { agentId, state, ...times, now: ctx.now() });
      await publish("agt_lifecycle_update");
      return lifecycle;
    },

    async updateStartup({ startup }) {
      if (!startup) throw new DrpcError("the startup is missing");
      const { version, expandedDirectory } = startup;
      if (!/^v\d+\.\d+\.\d+(?:[-+].*)?$/u.test(version) || version.length > 256) {
        throw new DrpcError(`invalid agent semver version ${JSON.stringify(version.slice(0, 64))}`);
      }
      if (expandedDirectory.length > maxDirectory) throw new DrpcError("the directory is too long");
      const names = startup.subsystems.map((value) => {
        const name = subsystems[value];
        if (!name) throw new DrpcError(`invalid agent subsystem ${value}`);
        return name;
      });
      await store.updateAgentStartup(ctx, {
        agentId,
        version,
        apiVersion: identity.apiVersion,
        expandedDirectory,
        subsystems: [...new Set(names)].toSorted(),
        now: ctx.now(),
      });
      return startup;
    },

    async batchCreateLogs({ logSourceId, logs }) {
      const nil = logSourceId.every((byte) => byte === 0);
      const sourceId = nil ? undefined : uuidText(logSourceId);
      if (!nil && sourceId === undefined) throw new DrpcError("the log source id is no UUID");
      const result = await storeLogs(deps, ctx, {
        agent: identity,
        sourceId,
        lines: logs.map(({ level, output }) => ({ level: logLevels[level] ?? "info", output })),
      });
      return { logLimitExceeded: result === "full" };
    },

    batchUpdateMetadata({ metadata }) {
      const items = metadata.map(({ key, result }) => ({
        key,
        value: result?.value ?? "",
        error: result?.error ?? "",
      }));
      const { values, problem } = boundMetadata(agentId, items, ctx.now());
      deps.metadataBatcher.add(values);
      if (problem !== undefined) throw new DrpcError(problem);
      return {};
    },

    async batchUpdateAppHealths({ updates }) {
      const apps = new Map((await store.getAgentApps(ctx, { agentId })).map((app) => [app.id, app]));
      // Everything is checked before anything is written.
      const wanted = updates.map((update) => {
        const id = uuidText(update.id) ?? "";
        const health = healths[update.health];
        const app = apps.get(id);
        if (!app) throw new DrpcError(`workspace app ID "${id}" not found`);
        if (app.healthcheckUrl === "") throw new DrpcError(`app ${app.slug} has no health check`);
        if (!health) throw new DrpcError(`unknown health status ${update.health}`);
        return { id, health };
      });
      const changed = await store.updateAgentAppHealths(ctx, {
        agentId,
        ids: wanted.map(({ id }) => id),
        healths: wanted.map(({ health }) => health),
      });
      if (changed > 0) await publish("app_health");
      return {};
    },

    async scriptCompleted({ timing }) {
      const row = timingRow(timing);
      const rows = await store.insertAgentScriptTiming(ctx, { agentId, ...row });
      if (rows === 0) throw new DrpcError(`script ${row.scriptId} is not of this agent`);
      return {};
    },

    async reportConnection({ connection }) {
      await storeConnection(deps, ctx, identity, connection);
      return {};
    },

    async updateAppStatus({ slug, state, message, uri }) {
      await storeAppStatus(deps, ctx, identity, { slug, state: appStates[state] ?? "", message, uri });
      return {};
    },

    getResourcesMonitoringConfiguration: () => ({
      config: { numDatapoints: 20, collectionIntervalSeconds: 10 },
      volumes: [],
    }),
  });
}

function timingRow(timing: Timing | undefined) {
  if (!timing) throw new DrpcError("script timing is required");
  const scriptId = uuidText(timing.scriptId);
  const startedAt = dateOf(timing.start);
  const endedAt = dateOf(timing.end);
  const stage = stages[timing.stage];
  const status = statuses[timing.status];
  if (scriptId === undefined) throw new DrpcError("script id is no UUID");
  if (!startedAt || !endedAt) throw new DrpcError("script start time and end time are required");
  if (startedAt > endedAt) throw new DrpcError("script start time cannot be after end time");
  if (!stage || !status) throw new DrpcError("unknown script stage or status");
  return { scriptId, startedAt, endedAt, stage, status, exitCode: timing.exitCode };
}

/** Undefined for the zero time, and for times that no row can hold. */
function dateOf(timestamp: Timestamp | undefined): Date | undefined {
  if (!timestamp || timestamp.seconds <= 0n || timestamp.seconds > 253_402_300_799n) return undefined;
  return timestampDate(timestamp);
}

function durationOf(ms: number): { seconds: bigint; nanos: number } {
  return { seconds: BigInt(Math.floor(ms / 1000)), nanos: (ms % 1000) * 1e6 };
}

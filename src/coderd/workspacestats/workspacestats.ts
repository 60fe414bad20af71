/**
 * What use of workspaces leaves behind (spec agent §11): statistics rows, the time of the last use. Reports of agents
 * come here; both are written in batches, apart from the path of a request. Made by coderd.ts.
 */
import type { Clock } from "#quartz/clock.ts";
import type { Logger } from "#slog/slog.ts";
import type { Ctx } from "../ctx.ts";
import type { AuthzStore } from "../database/dbauthz/dbauthz.ts";
import { Batch } from "./batch.ts";

export interface AgentStats {
  readonly id: string;
  readonly createdAt: Date;
  readonly userId: string;
  readonly agentId: string;
  readonly workspaceId: string;
  readonly templateId: string;
  readonly connectionsByProto: Readonly<Record<string, number>>;
  readonly connectionCount: number;
  readonly rxPackets: number;
  readonly rxBytes: number;
  readonly txPackets: number;
  readonly txBytes: number;
  readonly connectionMedianLatencyMs: number;
  readonly sessionCountVscode: number;
  readonly sessionCountJetbrains: number;
  readonly sessionCountReconnectingPty: number;
  readonly sessionCountSsh: number;
}

export interface WorkspaceStatsOptions {
  readonly store: AuthzStore;
  /** Acts as the server itself. */
  readonly ctx: Ctx;
  readonly clock: Clock;
  readonly log: Logger;
}

const statsFlushMs = 1000;
const statsMax = 1024;
const usesFlushMs = 60_000;
const usesMax = 10_000;

export class WorkspaceStats implements AsyncDisposable {
  readonly #stats: Batch<AgentStats>;
  readonly #uses: Batch<{ readonly id: string; readonly at: Date }>;

  static start(options: WorkspaceStatsOptions): WorkspaceStats {
    return new WorkspaceStats(options);
  }

  private constructor({ store, ctx, clock, log }: WorkspaceStatsOptions) {
    const shared = { clock, log };
    this.#stats = Batch.start({
      ...shared,
      name: "agent stats",
      flushMs: statsFlushMs,
      maxEntries: statsMax,
      write: (rows) => insertStats(store, ctx, rows),
    });
    this.#uses = Batch.start({
      ...shared,
      name: "last used",
      flushMs: usesFlushMs,
      maxEntries: usesMax,
      write: (uses) => writeUses(store, ctx, uses),
    });
  }

  addStats(row: AgentStats): void {
    this.#stats.add(row);
  }

  /** Somebody uses the workspace now. */
  used(workspaceId: string, at: Date): void {
    this.#uses.add({ id: workspaceId, at });
  }

  async flush(): Promise<void> {
    await Promise.all([this.#stats.flush(), this.#uses.flush()]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([this.#stats[Symbol.asyncDispose](), this.#uses[Symbol.asyncDispose]()]);
  }
}

function insertStats(store: AuthzStore, ctx: Ctx, rows: readonly AgentStats[]): Promise<void> {
  const column = <K extends keyof AgentStats>(name: K): AgentStats[K][] => rows.map((row) => row[name]);
  return store.insertAgentStats(ctx, {
    ids: column("id"),
    createdAts: column("createdAt"),
    userIds: column("userId"),
    agentIds: column("agentId"),
    workspaceIds: column("workspaceId"),
    templateIds: column("templateId"),
    protocols: column("connectionsByProto"),
    connectionCounts: column("connectionCount"),
    rxPackets: column("rxPackets"),
    rxBytes: column("rxBytes"),
    txPackets: column("txPackets"),
    txBytes: column("txBytes"),
    connectionMedianLatenciesMs: column("connectionMedianLatencyMs"),
    sessionCountsVscode: column("sessionCountVscode"),
    sessionCountsJetbrains: column("sessionCountJetbrains"),
    sessionCountsReconnectingPty: column("sessionCountReconnectingPty"),
    sessionCountsSsh: column("sessionCountSsh"),
    usages: rows.map(() => false),
  });
}

async function writeUses(
  store: AuthzStore,
  ctx: Ctx,
  uses: readonly { readonly id: string; readonly at: Date }[],
): Promise<void> {
  // One row each: an UPDATE takes one of several matches, and not always the newest.
  const newest = new Map<string, Date>();
  for (const { id, at } of uses) {
    const known = newest.get(id);
    if (!known || known < at) newest.set(id, at);
  }
  await store.updateWorkspacesLastUsed(ctx, { ids: [...newest.keys()], ats: [...newest.values()] });
}

/** Statistics: sessions open and traffic of each interval; the server says how often (spec agent §11). */
import type { AgentConnection } from "#codersdk/agentsdk/dial.ts";
import type { Clock } from "#quartz/clock.ts";
import type { ConnectionReports } from "./connections.ts";
import { durationMs } from "./wire.ts";

/** Traffic through the tunnel since it was last asked. */
export interface Traffic {
  readonly connectionsByProto: Readonly<Record<string, bigint>>;
  readonly connectionCount: bigint;
  readonly rxPackets: bigint;
  readonly rxBytes: bigint;
  readonly txPackets: bigint;
  readonly txBytes: bigint;
  /** Median of the round trips to active peers; undefined without any. */
  readonly medianLatencyMs: number | undefined;
}

export interface StatsOptions {
  readonly clock: Clock;
  readonly connections: ConnectionReports;
  /** Undefined when nothing passed. */
  readonly traffic: () => Traffic | undefined;
  readonly signal: AbortSignal;
}

/** Shortest interval that a server can make us use. */
const minIntervalMs = 500;

/** Reports until the signal aborts; throws when a report fails. */
export async function reportStats(api: AgentConnection["agent"], options: StatsOptions): Promise<void> {
  const { clock, connections, signal } = options;
  let interval = durationMs((await api.updateStats({}, { signal })).reportInterval);
  while (!signal.aborted) {
    try {
      await clock.sleep(Math.max(minIntervalMs, interval), { signal, tag: "stats" });
    } catch {
      return;
    }
    const traffic = options.traffic();
    if (!traffic) continue;
    const { open } = connections;
    const stats = {
      connectionsByProto: { ...traffic.connectionsByProto },
      connectionCount: traffic.connectionCount,
      rxPackets: traffic.rxPackets,
      rxBytes: traffic.rxBytes,
      txPackets: traffic.txPackets,
      txBytes: traffic.txBytes,
      // What stock agents send when there is no peer: −1 µs in milliseconds.
      connectionMedianLatencyMs: traffic.medianLatencyMs ?? -0.001,
      sessionCountSsh: BigInt(open.ssh),
      sessionCountVscode: BigInt(open.vscode),
      sessionCountJetbrains: BigInt(open.jetbrains),
      sessionCountReconnectingPty: BigInt(open.reconnecting_pty),
    };
    const answer = await api.updateStats({ stats }, { signal });
    interval = durationMs(answer.reportInterval) || interval;
  }
}

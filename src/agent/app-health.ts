/** Health checks of apps: one loop for each, states reported together once a second when any changed (spec agent §11). */
import { AppHealth, WorkspaceApp_Health, type WorkspaceApp } from "#rpc/gen/agent_pb.js";
import type { AgentConnection } from "#codersdk/agentsdk/dial.ts";
import type { Clock } from "#quartz/clock.ts";
import type { Logger } from "#slog/slog.ts";
import { durationMs } from "./wire.ts";

export interface AppHealthOptions {
  readonly clock: Clock;
  readonly log: Logger;
  /** Whether the app answers; aborts with the signal. */
  readonly probe?: (url: string, signal: AbortSignal) => Promise<boolean>;
}

/** Checks and reports until the signal aborts; throws when a report fails. */
export async function watchAppHealth(
  apps: readonly WorkspaceApp[],
  api: AgentConnection["agent"],
  options: AppHealthOptions & { readonly signal: AbortSignal },
): Promise<void> {
  const watched = apps.filter(
    ({ health }) =>
      health !== WorkspaceApp_Health.DISABLED && health !== WorkspaceApp_Health.HEALTH_UNSPECIFIED,
  );
  if (watched.length === 0) return;
  const { clock } = options;
  const states = new Map<WorkspaceApp, AppHealth>(watched.map((app) => [app, AppHealth.INITIALIZING]));
  let changed = false;
  const stop = new AbortController();
  const signal = AbortSignal.any([options.signal, stop.signal]);
  const checks = watched.map((app) =>
    check(app, { ...options, signal }, (health) => {
      if (states.get(app) === health) return;
      states.set(app, health);
      changed = true;
    }),
  );
  try {
    for await (const _ of clock.ticks(1000, { signal, tag: "app health" })) {
      if (!changed) continue;
      changed = false;
      const updates = [...states].map(([app, health]) => ({ id: app.id, health }));
      await api.batchUpdateAppHealths({ updates }, { signal });
    }
  } finally {
    stop.abort();
    await Promise.all(checks);
  }
}

async function check(
  app: WorkspaceApp,
  options: AppHealthOptions & { readonly signal: AbortSignal },
  set: (health: AppHealth) => void,
): Promise<void> {
  const { clock, signal, probe = answers } = options;
  const url = app.healthcheck?.url ?? "";
  const interval = durationMs(app.healthcheck?.interval);
  const threshold = app.healthcheck?.threshold ?? 0;
  if (url === "" || interval <= 0 || threshold <= 0) return;
  let failures = 0;
  for await (const _ of clock.ticks(interval, { signal, tag: "app probe" })) {
    const late = new AbortController();
    const timer = clock.timer(Math.max(1, interval - 1), () => late.abort());
    const healthy = await probe(url, AbortSignal.any([signal, late.signal])).catch(() => false);
    timer.stop();
    if (signal.aborted) return;
    failures = healthy ? 0 : failures + 1;
    if (healthy) set(AppHealth.HEALTHY);
    else if (failures > threshold) set(AppHealth.UNHEALTHY);
  }
}

async function answers(url: string, signal: AbortSignal): Promise<boolean> {
  const response = await fetch(url, { signal });
  await response.body?.cancel();
  return response.status < 500;
}

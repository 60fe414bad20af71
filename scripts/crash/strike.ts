/** What the harness kills, and what an operator or a supervisor does about it afterwards. */
import type { Rand } from "#cryptorand/cryptorand.ts";
import { isAgent, killQuietly, workspaceProcesses } from "./processes.ts";
import type { Rig } from "./rig.ts";
import { pause, until } from "./wait.ts";

export const strikeKinds = [
  "server",
  "daemon",
  "database",
  "restart",
  "agent",
  "backend",
  "starting",
] as const;
export type StrikeKind = (typeof strikeKinds)[number];

/** Service managers kill after 90 s; a restart should not feel like one. */
const gracefulMs = 20_000;

export interface Struck {
  readonly kind: StrikeKind;
  /** Workspaces whose agent was killed. */
  readonly workspaces: readonly string[];
}

export interface StrikeOptions {
  readonly rig: Rig;
  readonly rand: Rand;
  /** Workspaces that may lose their agent. */
  readonly victims: readonly string[];
}

/** Kills one thing with -9 and starts again what does not start by itself. Resolves when the server answers again. */
export async function strike(kind: StrikeKind, { rig, rand, victims }: StrikeOptions): Promise<Struck> {
  const workspaces: string[] = [];
  switch (kind) {
    case "server":
      await rig.server().kill();
      await pause(rand.int(400));
      await rig.startServer();
      break;
    case "restart":
      // No kill: an operator restarts the service. That must neither hang nor lose anything either.
      await endGently(rig);
      await rig.startServer();
      break;
    case "starting":
      // Killed again while it comes up: in the middle of adopting its database, ending old jobs, registering.
      await rig.server().kill();
      void rig.startServer().catch(() => {});
      await pause(100 + rand.int(1_200));
      await rig.server().kill();
      await rig.startServer();
      break;
    case "daemon":
      await rig.daemon().kill();
      await pause(rand.int(400));
      rig.startDaemon();
      break;
    case "database": {
      const pid = rig.postmaster();
      if (pid !== undefined) {
        killQuietly(pid);
        await until("another database process", 30_000, () => ![pid, undefined].includes(rig.postmaster()));
      }
      break;
    }
    case "backend": {
      const backends = await rig.sql<{ pid: number }>(
        "SELECT pid FROM pg_stat_activity WHERE application_name = 'coder' AND pid <> pg_backend_pid() ORDER BY pid",
      );
      const pid = backends[rand.int(Math.max(backends.length, 1))]?.pid;
      if (pid !== undefined) killQuietly(pid);
      break;
    }
    case "agent": {
      const agents = (await workspaceProcesses()).filter(
        (found) => victims.includes(found.workspaceId) && isAgent(found),
      );
      const agent = agents[rand.int(Math.max(agents.length, 1))];
      if (agent) {
        killQuietly(agent.pid);
        workspaces.push(agent.workspaceId);
      }
      break;
    }
  }
  await rig.awaitHealthy();
  return { kind, workspaces };
}

async function endGently(rig: Rig): Promise<void> {
  let ended = false;
  void rig
    .server()
    .kill("SIGTERM")
    .then(() => (ended = true));
  await until("the server ends after SIGTERM", gracefulMs, () => ended);
}

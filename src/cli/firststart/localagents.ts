/** Agents that run as processes of this machine: asked to end when the clone's server is stopped by hand. */
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Clock } from "#quartz/clock.ts";

/** Shutdown scripts run in this time; then the agents are left to the next start, which finds and ends them. */
const graceMs = 10_000;

export async function stopLocalAgents(
  workspaces: string,
  { clock }: { readonly clock: Clock },
): Promise<void> {
  const ids = await readdir(workspaces).catch(() => []);
  const pids = (await Promise.all(ids.map((id) => agentPid(join(workspaces, id), id)))).filter(
    (pid) => pid !== undefined,
  );
  for (const pid of pids) for (const target of await targetsOf(pid)) signal(target, "SIGTERM");
  const end = clock.monotonic() + graceMs;
  while (pids.some((pid) => signal(pid, 0)) && clock.monotonic() < end) await clock.sleep(50);
}

/** The process that its file names, if it still is that workspace's agent: numbers are used again. */
async function agentPid(dir: string, id: string): Promise<number | undefined> {
  try {
    const pid = Number(await readFile(join(dir, ".coder/agent.pid"), "utf8"));
    const environment = await readFile(`/proc/${pid}/environ`, "utf8");
    return environment.split("\0").includes(`CODER_LOCAL_WORKSPACE=${id}`) ? pid : undefined;
  } catch {
    return undefined;
  }
}

/** Who is told to end: `unshare` lets SIGTERM pass by, so in a namespace of its own the agent is its child. */
async function targetsOf(pid: number): Promise<readonly number[]> {
  const command = await readFile(`/proc/${pid}/comm`, "utf8").catch(() => "");
  if (command.trim() !== "unshare") return [pid];
  const children = await readFile(`/proc/${pid}/task/${pid}/children`, "utf8").catch(() => "");
  return children.split(" ").filter(Boolean).map(Number);
}

function signal(pid: number, name: NodeJS.Signals | 0): boolean {
  try {
    process.kill(pid, name);
    return true;
  } catch {
    return false;
  }
}

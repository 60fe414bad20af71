/** Processes of workspaces, found by the marker that the local template puts into their environment. */
import { readdir, readFile } from "node:fs/promises";

export interface WorkspaceProcess {
  readonly pid: number;
  readonly workspaceId: string;
  readonly command: string;
}

const marker = /(?:^|\0)CODER_LOCAL_WORKSPACE=([0-9a-f-]{36})(?:\0|$)/;

/** Of all local workspaces of this machine; whoever asks knows his own ids. */
export async function workspaceProcesses(): Promise<WorkspaceProcess[]> {
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  const found = await Promise.all(
    pids.map(async (pid) => {
      const workspaceId = marker.exec(await readFile(`/proc/${pid}/environ`, "utf8").catch(() => ""))?.[1];
      if (workspaceId === undefined) return [];
      const command = await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "");
      return [{ pid: Number(pid), workspaceId, command: command.replaceAll("\0", " ").trim() }];
    }),
  );
  return found.flat();
}

/** The agents themselves, without what they run. */
export function isAgent({ command }: WorkspaceProcess): boolean {
  return command.endsWith(" agent") && !/^(?:sh|unshare|setsid) /.test(command);
}

export function killQuietly(pid: number, signal: NodeJS.Signals = "SIGKILL"): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It has ended already.
  }
}

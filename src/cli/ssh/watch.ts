/** Ends a connection whose workspace stops or starts anew: the other side is gone, though TCP does not know yet. */
import { workspaces, Workspace } from "#codersdk/workspaces.ts";
import { decode } from "#codersdk/wire-decode.ts";
import * as w from "#codersdk/wire.ts";
import type { Invocation } from "#serpent/command.ts";
import type { Found } from "../dialworkspace.ts";
import type { Session } from "../session.ts";

const Event = w.struct("WatchEvent", { type: w.string(), data: w.json() });
const againMs = 10_000;

/** Why the connection is over, as of this state of its workspace; undefined while it is not. */
export function overBecause(found: Found, now: Workspace): string | undefined {
  const { latest_build: build } = now;
  if (build.status === "stopped" || build.status === "deleted") return `the workspace is ${build.status}`;
  const began = found.workspace.latest_build.build_number;
  return build.transition === "start" && build.build_number > began && build.status === "running"
    ? "the workspace was restarted"
    : undefined;
}

/** Whether the server has lost the agent, as of this state of its workspace. */
function agentLost({ agent }: Found, now: Workspace): boolean {
  const agents = (now.latest_build.resources ?? []).flatMap((resource) => resource.agents ?? []);
  return agents.find(({ id }) => id === agent.id)?.status === "disconnected";
}

export interface OverOptions {
  readonly signal: AbortSignal;
  /** Whether the agent still answers us, whatever the server thinks: it may only have lost the server. */
  readonly answers: () => Promise<boolean>;
}

/** Resolves to the reason; to undefined when the signal ends the watching. A server that cannot say is asked again. */
export async function workspaceOver(
  inv: Invocation,
  { client }: Session,
  found: Found,
  { signal, answers }: OverOptions,
): Promise<string | undefined> {
  const params = { workspace: found.workspace.id };
  while (!signal.aborted) {
    try {
      for await (const { type, data } of client.stream(workspaces.watchWs, Event, { params, signal })) {
        if (type !== "data") continue;
        const now = decode(Workspace, data);
        const why = overBecause(found, now);
        if (why !== undefined) return why;
        if (agentLost(found, now) && !(await answers())) {
          return signal.aborted ? undefined : "the workspace's agent is gone";
        }
      }
    } catch {
      // Watching is a service; the connection itself does not need it.
    }
    await inv.clock.sleep(againMs, { signal, unref: true }).catch(() => {});
  }
  return undefined;
}

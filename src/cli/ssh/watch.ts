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

/** Resolves to the reason; to undefined when the signal ends the watching. A server that cannot say is asked again. */
export async function workspaceOver(
  inv: Invocation,
  { client }: Session,
  found: Found,
  signal: AbortSignal,
): Promise<string | undefined> {
  const params = { workspace: found.workspace.id };
  while (!signal.aborted) {
    try {
      for await (const { type, data } of client.stream(workspaces.watchWs, Event, { params, signal })) {
        const why = type === "data" ? overBecause(found, decode(Workspace, data)) : undefined;
        if (why !== undefined) return why;
      }
    } catch {
      // Watching is a service; the connection itself does not need it.
    }
    await inv.clock.sleep(againMs, { signal, unref: true }).catch(() => {});
  }
  return undefined;
}

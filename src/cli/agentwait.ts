/** Waiting until a workspace's agent can be reached, and, where its template says so, until its scripts are done. */
import { contract } from "#codersdk/contract.ts";
import type { WorkspaceAgent } from "#codersdk/workspaceagents.ts";
import type { Invocation } from "#serpent/command.ts";
import { newProgress } from "./cliui/progress.ts";
import { printable } from "./cliui/table.ts";
import { UserError } from "./errors.ts";
import type { Session } from "./session.ts";

/** Short at first, because a fresh agent is there in a moment; then ever longer. */
export function pollDelay(waitedMs: number): number {
  if (waitedMs < 2_000) return 25;
  if (waitedMs < 60_000) return 500;
  return waitedMs < 600_000 ? 2_000 : 8_000;
}

export interface WaitOptions {
  /** Wait for startup scripts. `auto`: where the template blocks logins until then. */
  readonly scripts: "yes" | "no" | "auto";
}

/** Resolves to the agent, connected. Says on stderr what it waits for, if that takes longer than half a second. */
export async function waitForAgent(
  inv: Invocation,
  { client }: Session,
  first: WorkspaceAgent,
  options: WaitOptions,
): Promise<WorkspaceAgent> {
  const begin = inv.clock.monotonic();
  let agent = first;
  const progress = newProgress(inv);
  // One sign for the whole wait: the texts change, the half second counts from its beginning.
  using shown = new DisposableStack();
  let told = "";
  const tell = (text: string): void => {
    if (told === text) return;
    told = text;
    shown.use(progress.wait(text));
  };
  for (;;) {
    const wait = reasonToWait(agent, options);
    if (wait === undefined) break;
    tell(wait);
    await inv.clock.sleep(pollDelay(inv.clock.monotonic() - begin), { signal: inv.signal });
    agent = await client.call(contract.workspaceagents.get, {
      params: { workspaceagent: agent.id },
      signal: inv.signal,
    });
  }
  if (agent.lifecycle_state === "start_error" || agent.lifecycle_state === "start_timeout") {
    const how = agent.lifecycle_state === "start_error" ? "ended with an error" : "took too long";
    inv.stderr.write(`WARN: the workspace's startup script ${how}; it may be incomplete. See: coder logs\n`);
  }
  return agent;
}

/** Undefined when there is nothing to wait for. Throws when waiting is vain. */
export function reasonToWait(agent: WorkspaceAgent, { scripts }: WaitOptions): string | undefined {
  const name = printable(agent.name);
  if (["shutting_down", "shutdown_timeout", "shutdown_error", "off"].includes(agent.lifecycle_state)) {
    throw new UserError(`the agent ${name} is shutting down`);
  }
  switch (agent.status) {
    case "connecting":
      return `Waiting for the agent ${name} to connect`;
    case "timeout":
      return `The agent ${name} is having trouble connecting; waiting on. See ${printable(agent.troubleshooting_url)}`;
    case "disconnected":
      return `The agent ${name} lost its connection; waiting for it to come back`;
    case "connected":
      break;
  }
  const blocking = scripts === "yes" || (scripts === "auto" && agent.startup_script_behavior === "blocking");
  const starting = agent.lifecycle_state === "created" || agent.lifecycle_state === "starting";
  return blocking && starting ? `Waiting for startup scripts of ${name} (--wait=no skips this)` : undefined;
}

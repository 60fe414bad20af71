/** Tells the server that a workspace is used, so that it does not stop under its user. */
import { contract } from "#codersdk/contract.ts";
import type { Invocation } from "#serpent/command.ts";
import type { Found } from "./dialworkspace.ts";
import type { Session } from "./session.ts";

const everyMs = 60_000;

export type UsageApp = "ssh" | "vscode" | "jetbrains" | "disable";

/** What `--usage-app` says; names that no server knows count as ssh. */
export function usageApp(text: string): UsageApp {
  return text === "vscode" || text === "jetbrains" || text === "disable" ? text : "ssh";
}

/** At once and every minute until the signal. Failing is no reason to end a connection: the next minute asks again. */
export async function reportUsage(
  inv: Invocation,
  { client }: Session,
  { workspace, agent }: Found,
  { app, signal }: { readonly app: UsageApp; readonly signal: AbortSignal },
): Promise<void> {
  if (app === "disable") return;
  const report = async (): Promise<void> => {
    try {
      await client.call(contract.workspaces.usage, {
        params: { workspace: workspace.id },
        body: { agent_id: agent.id, app_name: app },
        signal,
      });
    } catch {
      // See above.
    }
  };
  await report();
  for await (const _ of inv.clock.ticks(everyMs, { signal, unref: true })) await report();
}

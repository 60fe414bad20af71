import { contract } from "#codersdk/contract.ts";
import type { Invocation } from "#serpent/command.ts";
import { connect } from "./session.ts";

/** How long a shell may wait for names. */
const timeoutMs = 2_000;

/** Names of one's own workspaces, for the first argument of a command. */
export async function completeWorkspace(inv: Invocation): Promise<readonly string[]> {
  if (inv.args.length > 0) return [];
  const { client } = await connect(inv);
  const { workspaces } = await client.call(contract.workspaces.list, {
    query: { q: "owner:me" },
    signal: AbortSignal.any([inv.signal, AbortSignal.timeout(timeoutMs)]),
  });
  return workspaces.map(({ name }) => name);
}

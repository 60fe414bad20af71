/** `coder open`: a workspace in a program of this machine. */
import { completeWorkspace } from "../completeworkspace.ts";
import { posix } from "node:path";
import { contract } from "#codersdk/contract.ts";
import type { WorkspaceAgent } from "#codersdk/workspaceagents.ts";
import type { Command, Invocation } from "#serpent/command.ts";
import { option } from "#serpent/option.ts";
import * as types from "#serpent/values.ts";
import { waitForAgent } from "../agentwait.ts";
import { printable } from "../cliui/table.ts";
import { findAgent, type Found } from "../dialworkspace.ts";
import { UserError } from "../errors.ts";
import { connect, type Session } from "../session.ts";
import { parseSshTarget } from "../workspaceref.ts";
import { openLink } from "./browser.ts";

const generateToken = option(types.bool, {
  flag: "generate-token",
  env: "CODER_OPEN_VSCODE_GENERATE_TOKEN",
  description: "Put a new session token into the link where it is only printed, too.",
});
const testOpenError = option(types.bool, {
  flag: "test.open-error",
  hidden: true,
  description: "Behave as if the link could not be opened, for tests.",
});

/** Where in the workspace: an absolute path, else below the agent's folder; empty: the agent's folder. */
export function folderOf(agent: WorkspaceAgent, wanted: string): string {
  const base = agent.expanded_directory ?? "";
  if (wanted === "") return base;
  if (wanted.startsWith("/")) return posix.normalize(wanted);
  if (wanted === "~" || wanted.startsWith("~/")) {
    throw new UserError(
      "a folder in the workspace is given as an absolute path, or below the agent's folder",
    );
  }
  if (base === "") throw new UserError("the agent has no folder yet; give an absolute path");
  return posix.join(base, wanted);
}

export function vscodeLink(fields: Readonly<Record<string, string>>): string {
  // Readers expect the order of names that Go's encoder gives.
  const query = Object.entries(fields)
    .filter(([, value]) => value !== "")
    .toSorted(([a], [b]) => (a < b ? -1 : 1));
  return `vscode://coder.coder-remote/open?${new URLSearchParams(query).toString()}`;
}

const vscode: Command = {
  use: "vscode <workspace> [<directory in workspace>]",
  complete: completeWorkspace,
  short: "Open a workspace in VS Code.",
  long: "Starts the workspace if it is stopped. The link carries a new session token for the editor, unless it is only printed.",
  options: [generateToken, testOpenError],
  args: { min: 1, max: 2 },
  async handler(inv) {
    const session = await connect(inv);
    const inside = isInside(inv);
    const found = await findAgent(inv, session, parseSshTarget(inv.args[0] ?? ""), { autostart: true });
    const agent = inside ? found.agent : await waitForAgent(inv, session, found.agent, { scripts: "no" });
    const link = (token: string): string =>
      vscodeLink({
        agent: agent.name,
        folder: folderOf(agent, inv.args[1] ?? ""),
        owner: found.workspace.owner_name,
        token,
        url: session.client.url,
        workspace: found.workspace.name,
      });
    if (inside) {
      // The desktop is elsewhere: all that can be done is to show the link.
      const { key } = inv.get(generateToken) ? await newKey(inv, session) : { key: "" };
      inv.stdout.write(`${link(key)}\n`);
      return;
    }
    await openOrPrint(inv, session, found, link);
  },
};

/** Whether this is a shell of a workspace. */
const isInside = (inv: Invocation): boolean => inv.env["CODER"] === "true";

async function newKey(inv: Invocation, { client }: Session): Promise<{ readonly key: string }> {
  return await client.call(contract.apikeys.createKey, { params: { user: "me" }, signal: inv.signal });
}

/** A key that no editor took is deleted: a link in a terminal's scrollback must not be a session. */
async function openOrPrint(
  inv: Invocation,
  session: Session,
  { workspace }: Found,
  link: (token: string) => string,
): Promise<void> {
  const { key } = await newKey(inv, session);
  inv.stderr.write(`Opening ${printable(workspace.name)} in VS Code\n`);
  if (!inv.get(testOpenError) && (await openLink(inv, link(key)))) return;
  if (inv.get(generateToken)) {
    inv.stderr.write("VS Code could not be opened from here. Open this link where it is:\n\n");
    inv.stdout.write(`${link(key)}\n`);
    return;
  }
  const [keyid = ""] = key.split("-");
  await session.client.call(contract.apikeys.delete, { params: { user: "me", keyid }, signal: inv.signal });
  inv.stderr.write("VS Code could not be opened from here. Open this link where it is:\n\n");
  inv.stdout.write(`${link("")}\n`);
}

export const openCommand: Command = {
  use: "open",
  short: "Open a workspace in an editor.",
  children: [vscode],
};

/** `coder state`: a workspace's Terraform state, out of the server and into it. */
import { readFile, writeFile } from "node:fs/promises";
import { resolve } from "node:path";
import { contract } from "#codersdk/contract.ts";
import type { WorkspaceBuild } from "#codersdk/workspacebuilds.ts";
import type { Command, Invocation } from "#serpent/command.ts";
import { option } from "#serpent/option.ts";
import * as types from "#serpent/values.ts";
import { followBuild } from "./builds.ts";
import { UserError } from "./errors.ts";
import { readAll } from "./stdin.ts";
import { connect, type Session } from "./session.ts";
import { createBuild } from "./transition.ts";
import { getWorkspace } from "./workspaceref.ts";

/** Most bytes of a state; the server's body limit is 1 MiB and base64 makes a third more. */
const stateLimit = 16 * 1024 * 1024;

const buildNumber = option(types.int, {
  flag: "build",
  shorthand: "b",
  description: "Number of the build. Default: the latest.",
});
const noBuild = option(types.bool, {
  flag: "no-build",
  shorthand: "n",
  description: "Only replace the state, without a build that applies it.",
});

async function pickBuild(inv: Invocation, { client }: Session): Promise<WorkspaceBuild> {
  const workspace = await getWorkspace(client, inv.args[0] ?? "", inv.signal);
  const number = inv.get(buildNumber);
  if (number === 0) return workspace.latest_build;
  return await client.call(contract.workspaces.buildByNumber, {
    params: {
      user: workspace.owner_name,
      workspacename: workspace.name,
      buildnumber: String(number),
    },
    signal: inv.signal,
  });
}

const pull: Command = {
  use: "pull <workspace> [file]",
  short: "Write a workspace's state to a file, or to standard output.",
  options: [buildNumber],
  args: { min: 1, max: 2 },
  async handler(inv) {
    const session = await connect(inv);
    const build = await pickBuild(inv, session);
    const state = await session.client.call(contract.workspacebuilds.state, {
      params: { workspacebuild: build.id },
      signal: inv.signal,
    });
    const file = inv.args[1] ?? "-";
    if (file === "-") {
      inv.stdout.write(state);
      if (state.at(-1) !== 0x0a) inv.stdout.write("\n");
      return;
    }
    // State holds secrets.
    await writeFile(resolve(inv.cwd, file), state, { mode: 0o600 });
  },
};

const push: Command = {
  use: "push <workspace> <file>",
  short: "Replace a workspace's state by a file's, or by standard input (-), and build with it.",
  options: [buildNumber, noBuild],
  args: { min: 2, max: 2 },
  async handler(inv) {
    const session = await connect(inv);
    const build = await pickBuild(inv, session);
    const file = inv.args[1] ?? "-";
    const state = file === "-" ? await readAll(inv, stateLimit) : await readFile(resolve(inv.cwd, file));
    if (state.length > stateLimit) {
      throw new UserError(`the state has ${state.length} bytes; at most ${stateLimit} are taken`);
    }
    if (inv.get(noBuild)) {
      await session.client.call(contract.workspacebuilds.setState, {
        params: { workspacebuild: build.id },
        body: { state: Uint8Array.from(state) },
        signal: inv.signal,
      });
      inv.stdout.write("State updated successfully.\n");
      return;
    }
    const workspace = await getWorkspace(session.client, inv.args[0] ?? "", inv.signal);
    const made = await createBuild(session, workspace, {
      transition: build.transition,
      templateVersionId: build.template_version_id,
      state: Uint8Array.from(state),
    });
    await followBuild(inv, session, made, inv.stderr);
  },
};

export const stateCommand: Command = {
  use: "state",
  short: "Take out or replace a workspace's Terraform state, to mend a workspace by hand.",
  children: [pull, push],
};

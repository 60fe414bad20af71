/** A server, a workspace and its running agent, all in this process, and a way to run command lines there. Test only. */
import { chmod, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { newServer, type Person, type TestServer } from "#coderd/coderdtest/coderdtest.ts";
import { workspaceScene, type WorkspaceScene } from "#coderd/database/dbfake/dbfake.ts";
import { workspaceagents } from "#codersdk/workspaceagents.ts";
import { eventually, repoRoot, tempDir } from "#testutil/testutil.ts";
import { type CliOptions, type CliResult, type CliRun, runCli, startCli } from "./clitest.ts";

export interface LiveWorkspace {
  readonly server: TestServer;
  readonly owner: Person;
  readonly scene: WorkspaceScene;
  readonly name: string;
  /** Home directory of the user and of the agent. */
  readonly dir: string;
  readonly env: Readonly<Record<string, string>>;
  run(line: readonly string[], options?: CliOptions): Promise<CliResult>;
  start(line: readonly string[], options?: CliOptions): CliRun;
}

export async function liveWorkspace(t: TestContext): Promise<LiveWorkspace> {
  const server = await newServer(t);
  const owner = await server.createFirstUser();
  const user = await server.db.store.getUserById({ id: owner.id });
  const scene = await workspaceScene(server.db.store, { owner: user });
  const dir = await tempDir(t);
  const stop = new AbortController();
  const agent = startCli(["agent", "--log-dir", dir, "--script-data-dir", dir], {
    env: {
      HOME: dir,
      PATH: process.env["PATH"] ?? "/usr/bin:/bin",
      CODER_AGENT_URL: server.url,
      CODER_AGENT_TOKEN: scene.agent.authToken,
    },
    signal: stop.signal,
  });
  t.after(async () => {
    stop.abort(new Error("the test is over"));
    await agent.result;
  });
  const params = { workspaceagent: scene.agent.id };
  await eventually("the agent is ready", async () => {
    const found = await owner.client.call(workspaceagents.get, { params });
    return found.lifecycle_state === "ready" && found.status === "connected" ? found : undefined;
  });
  const env = { HOME: dir, CODER_URL: server.url, CODER_SESSION_TOKEN: owner.token };
  const withEnv = (options: CliOptions = {}): CliOptions => ({
    cwd: dir,
    ...options,
    env: { ...env, ...options.env },
  });
  return {
    server,
    owner,
    scene,
    name: scene.workspace.name,
    dir,
    env,
    run: (line, options) => runCli(line, withEnv(options)),
    start: (line, options) => startCli(line, withEnv(options)),
  };
}

/** A script that runs this clone's command line as a process of its own: what other programs are told to run. */
export async function programScript(dir: string): Promise<string> {
  const path = join(dir, "coder");
  await writeFile(path, `#!/bin/sh\nexec ${process.execPath} ${join(repoRoot, "src/cmd/coder.ts")} "$@"\n`);
  await chmod(path, 0o755);
  return path;
}

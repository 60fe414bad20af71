/** kill -9 of whoever applies, in the middle of it: the next life ends the job at once, with the state that was left. */
import assert from "node:assert/strict";
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { type Client, newClient } from "#codersdk/client.ts";
import { provisionerkeys } from "#codersdk/provisionerkeys.ts";
import { users } from "#codersdk/users.ts";
import { zeroUuid } from "#codersdk/wire.ts";
import { workspacebuilds } from "#codersdk/workspacebuilds.ts";
import { workspaces } from "#codersdk/workspaces.ts";
import { newServer } from "#coderd/coderdtest/coderdtest.ts";
import { newDb } from "#coderd/database/dbtestutil/dbtestutil.ts";
import { leftJobError } from "#provisionerd/journal.ts";
import { eventually, repoRoot, tempDir } from "#testutil/testutil.ts";
import { processStart } from "#util/process.ts";
import { runCli } from "../clitest/clitest.ts";

/** `a` leaves a file that only its destroy provisioner removes; `b` holds the apply. */
const template = (dir: string): string => `
resource "terraform_data" "a" {
  input = "${dir}/made"
  provisioner "local-exec" {
    command = "touch \${self.input}"
  }
  provisioner "local-exec" {
    when    = destroy
    command = "rm \${self.input}"
  }
}
resource "terraform_data" "b" {
  input = terraform_data.a.output
  provisioner "local-exec" {
    command = "echo $$ > ${dir}/pid.new; mv ${dir}/pid.new ${dir}/pid; echo begun; sleep 600; sleep 600"
  }
}
`;

class Program {
  readonly #child: ChildProcess;
  #output = "";

  constructor(t: TestContext, args: readonly string[], env: Readonly<Record<string, string>>) {
    this.#child = spawn(process.execPath, [join(repoRoot, "src/cmd/coder.ts"), ...args], {
      env: { PATH: process.env["PATH"] ?? "", HOME: "/nonexistent", ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.on("data", (chunk: Buffer) => {
        this.#output += chunk.toString("utf8");
      });
    }
    t.after(() => this.kill());
  }

  says(pattern: RegExp): Promise<string> {
    return eventually(
      `it says ${pattern.source}`,
      () => {
        assert.equal(this.#child.exitCode, null, this.#output);
        return pattern.exec(this.#output)?.[0];
      },
      { timeoutMs: 60_000 },
    );
  }

  async kill(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const gone = once(this.#child, "exit");
    this.#child.kill("SIGKILL");
    await gone;
  }
}

interface Scene {
  readonly dir: string;
  /** Signed in as an owner. */
  readonly client: Client;
  readonly url: string;
}

/** Pushes the template and creates the workspace; resolves in the middle of the apply. */
async function beginBuild({ dir, client, url }: Scene): Promise<{ workspaceId: string; buildId: string }> {
  mkdirSync(join(dir, "template"));
  writeFileSync(join(dir, "template/main.tf"), template(dir));
  const env = { CODER_URL: url, CODER_SESSION_TOKEN: client.token ?? "", CODER_CONFIG_DIR: join(dir, "cli") };
  const pushed = await runCli(["templates", "push", "slow", "-d", join(dir, "template"), "--yes"], { env });
  assert.equal(pushed.status, 0, pushed.stderr + pushed.stdout);
  const made = await runCli(["create", "w", "-t", "slow", "--yes", "--no-wait"], { env });
  assert.equal(made.status, 0, made.stderr);
  await eventually("the second step runs", () => existsSync(join(dir, "pid")), { timeoutMs: 60_000 });
  const workspace = await client.call(workspaces.getByName, { params: { user: "me", workspacename: "w" } });
  return { workspaceId: workspace.id, buildId: workspace.latest_build.id };
}

/** The job has ended with its state, what ran in its name is dead, and a delete removes what was made. */
async function endsAtOnce(
  { dir, client }: Scene,
  build: { workspaceId: string; buildId: string },
): Promise<void> {
  const at = { params: { workspacebuild: build.buildId } };
  const ended = await eventually(
    "the job ends",
    async () => {
      const found = await client.call(workspacebuilds.get, at);
      return found.job.completed_at ? found : undefined;
    },
    { timeoutMs: 30_000 },
  );
  assert.equal(ended.job.status, "failed");
  assert.equal(ended.job.error, leftJobError);
  const state = Buffer.from(await client.call(workspacebuilds.state, at)).toString("utf8");
  const { resources }: { resources: { name: string; instances: { status?: string }[] }[] } =
    JSON.parse(state);
  assert.deepEqual(
    resources.map(({ name, instances }) => [name, instances[0]?.status]),
    [
      ["a", undefined],
      ["b", "tainted"],
    ],
  );
  const pid = Number(readFileSync(join(dir, "pid"), "utf8"));
  await eventually("the command of the killed life is dead", () => processStart(pid) === undefined);
  assert.ok(existsSync(join(dir, "made")));
  const gone = await client.call(workspaces.createBuild, {
    params: { workspace: build.workspaceId },
    body: { transition: "delete", template_version_id: zeroUuid, template_version_preset_id: zeroUuid },
  });
  await eventually(
    "the delete ends",
    async () => {
      const found = await client.call(workspacebuilds.get, { params: { workspacebuild: gone.id } });
      if (found.job.completed_at) assert.equal(found.job.error, undefined);
      return found.job.status === "succeeded";
    },
    { timeoutMs: 30_000 },
  );
  assert.equal(existsSync(join(dir, "made")), false);
}

describe("kill -9 in the middle of an apply", () => {
  it("of the server with its built-in daemons", async (t) => {
    const { url: postgres } = await newDb(t);
    const dir = await tempDir(t);
    const start = async (): Promise<{ program: Program; url: string }> => {
      const program = new Program(t, ["server", "--http-address", "127.0.0.1:0"], {
        CODER_CONFIG_DIR: join(dir, "config"),
        CODER_CACHE_DIRECTORY: join(dir, "cache"),
        CODER_PG_CONNECTION_URL: postgres,
      });
      const line = await program.says(/Started HTTP listener at (\S+)\n/);
      return { program, url: line.trim().split(" ").at(-1) ?? "" };
    };
    const first = await start();
    const account = { email: "ada@test.invalid", username: "ada", password: "SomeSecurePassword!1" };
    const anonymous = newClient({ url: first.url });
    await anonymous.call(users.createFirstUser, { body: account });
    const { session_token: token } = await anonymous.call(users.login, { body: account });
    const build = await beginBuild({ dir, url: first.url, client: anonymous.withToken(token) });
    await first.program.kill();
    const second = await start();
    await endsAtOnce(
      { dir, url: second.url, client: newClient({ url: second.url }).withToken(token) },
      build,
    );
  });

  it("of an external daemon", async (t) => {
    const server = await newServer(t);
    const { client } = await server.createFirstUser();
    const dir = await tempDir(t);
    const { key } = await client.call(provisionerkeys.create, {
      params: { organization: "default" },
      body: { name: "outside", tags: {} },
    });
    const start = (): Program =>
      new Program(t, ["provisioner", "start", "--name", "outside"], {
        CODER_URL: server.url,
        CODER_PROVISIONER_DAEMON_KEY: key,
        CODER_CACHE_DIRECTORY: join(dir, "cache"),
      });
    const scene = { dir, url: server.url, client };
    const first = start();
    const build = await beginBuild(scene);
    await first.kill();
    start();
    await endsAtOnce(scene, build);
  });
});

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { readdir, readFile, stat, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { Duplex } from "node:stream";
import { describe, it, test } from "node:test";
import { dialSsh, runCommand } from "#ssh/client.ts";
import { eventually, freePort, repoRoot, tempDir } from "#testutil/testutil.ts";
import { workspaceScene } from "#coderd/database/dbfake/dbfake.ts";
import { newServer } from "#coderd/coderdtest/coderdtest.ts";
import { type CliRun, startCli, withoutWaits } from "../clitest/clitest.ts";
import { type LiveWorkspace, liveWorkspace } from "../clitest/live.ts";
import { parseRemoteForward } from "./remoteforward.ts";
import { parseVscodeHost } from "./vscodessh.ts";

/** Speaks ssh through a running command's standard input and output, as OpenSSH does with a ProxyCommand. */
async function through(run: CliRun, command: string): Promise<{ stdout: string; code: number }> {
  const client = await dialSsh(Duplex.from({ readable: run.out, writable: run.stdin }));
  const { stdout, code } = await runCommand(client, command);
  client.end();
  return { stdout, code };
}

async function networkFile(dir: string): Promise<Readonly<Record<string, unknown>>> {
  const path = join(dir, `${process.ppid}.json`);
  const text = await eventually("the network file", () => readFile(path, "utf8").catch(() => undefined));
  assert.equal((await stat(path)).mode & 0o777, 0o600);
  return JSON.parse(text);
}

async function checkNetworkFile(dir: string): Promise<void> {
  const info = await networkFile(dir);
  assert.deepEqual(
    Object.entries(info).map(([name, value]) => `${name} ${typeof value}`),
    [
      "p2p boolean",
      "latency number",
      "preferred_derp string",
      "derp_latency object",
      "upload_bytes_sec number",
      "download_bytes_sec number",
      "using_coder_connect boolean",
    ],
  );
  assert.notEqual(info["preferred_derp"], "");
}

test("ssh: commands with their input, output and status; remote forwards", async (t) => {
  const ws = await liveWorkspace(t);
  const done = await ws.run(["ssh", ws.name, "--", "cat; echo err >&2; exit 5"], { stdin: "in\n" });
  assert.deepEqual([done.status, done.stdout, withoutWaits(done.stderr)], [5, "in\n", "err\n"]);
  const words = await ws.run(["ssh", `${ws.owner.username}/${ws.name}`, "echo", "$A", "-e", "A=b c"]);
  assert.equal(words.status, 0, words.stderr);
  const wrong = await ws.run(["ssh", "nowhere", "true"]);
  assert.equal(wrong.status, 1);
  await remoteForward(ws);
});

test("ssh: an agent that is killed ends the session within seconds, with a reason", async (t) => {
  const server = await newServer(t);
  const owner = await server.createFirstUser();
  const user = await server.db.store.getUserById({ id: owner.id });
  const scene = await workspaceScene(server.db.store, { owner: user });
  const dir = await tempDir(t);
  const args = [join(repoRoot, "src/cmd/coder.ts"), "agent", "--log-dir", dir, "--script-data-dir", dir];
  const agent = spawn(process.execPath, args, {
    env: {
      HOME: dir,
      PATH: process.env["PATH"],
      CODER_AGENT_URL: server.url,
      CODER_AGENT_TOKEN: scene.agent.authToken,
    },
    stdio: "ignore",
  });
  t.after(() => agent.kill("SIGKILL"));
  const run = startCli(["ssh", scene.workspace.name, "--", "echo up; sleep 600"], {
    env: { HOME: dir, CODER_URL: server.url, CODER_SESSION_TOKEN: owner.token },
  });
  await eventually("the session runs", () => run.stdout().includes("up"));
  agent.kill("SIGKILL");
  const done = await run.result;
  assert.equal(done.status, 255);
  assert.match(done.stderr, /agent is gone|ended unexpectedly/u);
});

async function remoteForward(ws: LiveWorkspace): Promise<void> {
  const server = createServer((socket) => socket.end("from here"));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const local = typeof address === "object" && address ? address.port : 0;
  const remote = await freePort();
  const read = `node -e 'require("net").connect(${remote}, "127.0.0.1").pipe(process.stdout)'`;
  const done = await ws.run(["ssh", ws.name, "-R", `${remote}:127.0.0.1:${local}`, "--", read]);
  server.close();
  assert.deepEqual([done.status, done.stdout], [0, "from here"], done.stderr);
}

test("ssh --stdio, as editors run it: bytes only, a log and a network file", async (t) => {
  const ws = await liveWorkspace(t);
  const [logs, infos] = [join(ws.dir, "logs"), join(ws.dir, "infos")];
  const files = ["--log-dir", logs, "--network-info-dir", infos, "--network-info-interval", "100ms"];
  const line = ["ssh", "--stdio", "--ssh-host-prefix", "coder.", "--usage-app=vscode", "--disable-autostart"];
  const run = ws.start([...line, ...files, `coder.${ws.name}`]);
  assert.deepEqual(await through(run, "echo hi; exit 4"), { stdout: "hi\n", code: 4 });
  assert.equal((await run.result).status, 0);
  await checkNetworkFile(infos);
  const [log = "", ...more] = await readdir(logs);
  assert.match(log, new RegExp(`^coder-ssh-\\d{8}-\\d{6}-[a-z]{5}-${process.ppid}\\.log$`));
  assert.deepEqual(more, []);
  assert.equal((await stat(join(logs, log))).mode & 0o777, 0o600);
  const text = await readFile(join(logs, log), "utf8");
  assert.match(text, /"connected"/);
  assert.ok(!text.includes(ws.owner.token));
});

test("vscodessh, as older extensions run it", async (t) => {
  const ws = await liveWorkspace(t);
  const [urlFile, tokenFile] = [join(ws.dir, "url"), join(ws.dir, "token")];
  await writeFile(urlFile, ws.server.url);
  await writeFile(tokenFile, `${ws.owner.token}\n`);
  const files = ["--network-info-dir", ws.dir, "--session-token-file", tokenFile, "--url-file", urlFile];
  const host = `coder-vscode.host--${ws.owner.username}--${ws.name}--${ws.scene.agent.name}`;
  const run = ws.start(["vscodessh", ...files, "--log-dir", ws.dir, host], {
    env: { CODER_URL: "", CODER_SESSION_TOKEN: "" },
  });
  assert.deepEqual(await through(run, "echo code"), { stdout: "code\n", code: 0 });
  assert.equal((await run.result).status, 0);
  await checkNetworkFile(ws.dir);
  assert.match(await readFile(join(ws.dir, `${process.ppid}.log`), "utf8"), /"connected"/);
  const none = await ws.run(["vscodessh", host]);
  assert.match(none.stderr, /--network-info-dir must be given/);
});

describe("parsing", () => {
  it("hosts of the VS Code extension", () => {
    assert.deepEqual(parseVscodeHost("coder-vscode--o--w"), { owner: "o", name: "w", agent: undefined });
    assert.deepEqual(parseVscodeHost("x.y--o--w--a"), { owner: "o", name: "w", agent: "a" });
    for (const bad of ["", "w", "a--o", "a--o--", "a--o--w--", "a--o--w--x--y"]) {
      assert.throws(() => parseVscodeHost(bad), /given as/);
    }
  });
  it("remote forwards", () => {
    assert.deepEqual(parseRemoteForward("8080:localhost:80"), {
      kind: "tcp",
      remotePort: 8080,
      host: "localhost",
      port: 80,
    });
    assert.deepEqual(parseRemoteForward("1:[::1]:2"), { kind: "tcp", remotePort: 1, host: "::1", port: 2 });
    assert.deepEqual(parseRemoteForward("/a:/b"), { kind: "unix", remotePath: "/a", path: "/b" });
    for (const bad of ["", "80", "80:x", "x:y:z", "0:a:1", "1:a:70000", "/a:b", "a:/b", "1:a b:2"]) {
      assert.throws(() => parseRemoteForward(bad), /a remote forward is/);
    }
  });
});

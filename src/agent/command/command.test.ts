import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { referencePath, tempDir } from "#testutil/testutil.ts";
import { buildCommand, type AgentFacts, type WorkspaceFacts } from "./command.ts";
import { expandPath, expandVariables } from "./expand.ts";
import { shellWords } from "./shell-words.ts";
import { currentUser } from "./user.ts";

const agent: AgentFacts = {
  env: { HOME: "/home/u", PATH: "/usr/local/bin:/usr/bin:/bin", LANG: "C.UTF-8" },
  user: { name: "u", home: "/home/u", shell: "/bin/bash" },
  token: "t0ken",
  binary: "/opt/coder",
  scriptBinDir: "/tmp/coder-script-data/bin",
};
const workspace: WorkspaceFacts = {
  agentName: "main",
  workspaceName: "ws",
  workspaceId: "w-id",
  ownerName: "alice",
  environment: { FROM_TEMPLATE: "x$HOME", PATH: "/tmpl/bin:$PATH" },
  directory: "/",
  vscodeProxyUri: "",
  secrets: {},
};

test("the environment has the names and strength order of the recorded session", (t) => {
  const path = referencePath(t, "agent-vectors.json");
  if (!path) return;
  const recorded = JSON.parse(readFileSync(path, "utf8")).ssh_session_environment;
  const skip = new Set<string>([
    ...recorded.set_by_the_shell_not_the_agent,
    ...recorded.artefact_of_stock_agent,
    // Inherited from the recorded agent's own environment.
    "CODER_AGENT_AUTH",
    "CODER_AGENT_LOG_DIR",
    "CODER_AGENT_SOCKET_PATH",
    "CODER_AGENT_URL",
    "TMPDIR",
  ]);
  const { env } = buildCommand({ text: "env" }, workspace, agent);
  const wanted = Object.keys(recorded.env).filter((name) => !skip.has(name));
  assert.deepEqual(Object.keys(env).sort(), wanted.sort());
  assert.equal(env["PATH"], "/tmp/coder-script-data/bin:/tmpl/bin:/usr/local/bin:/usr/bin:/bin");
  assert.equal(env["FROM_TEMPLATE"], "x/home/u");
  for (const name of ["CODER", "SSH_CLIENT", "SSH_CONNECTION", "CS_DISABLE_GETTING_STARTED_OVERRIDE"]) {
    assert.equal(env[name], recorded.env[name]);
  }
  assert.equal(env["GIT_SSH_COMMAND"], "/opt/coder gitssh --");
});

test("stronger sources win: request < fixed < template < secrets", () => {
  const { env } = buildCommand(
    {
      text: "",
      env: { CODER: "no", MINE: "request", SHARED: "request", TOP: "request" },
      extra: { TERM: "xterm" },
    },
    { ...workspace, environment: { SHARED: "template", TOP: "template" }, secrets: { TOP: "secret $HOME" } },
    agent,
  );
  assert.equal(env["CODER"], "true");
  assert.equal(env["MINE"], "request");
  assert.equal(env["SHARED"], "template");
  assert.equal(env["TOP"], "secret $HOME");
  assert.equal(env["TERM"], "xterm");
});

test("command forms", () => {
  const argv = (text: string) => {
    const { file, args } = buildCommand({ text }, workspace, agent);
    return [file, ...args];
  };
  assert.deepEqual(argv(""), ["/bin/bash", "-l"]);
  assert.deepEqual(argv("echo hi"), ["/bin/bash", "-c", "echo hi"]);
  assert.deepEqual(argv("\n#!/usr/bin/env 'py thon' -u\nx"), [
    "/usr/bin/env",
    "py thon",
    "-u",
    "-c",
    "#!/usr/bin/env 'py thon' -u\nx",
  ]);
  assert.deepEqual(argv("#!'open\nx"), ["/bin/bash", "-c", "#!'open\nx"]);
});

test("the directory falls back to the home, then to the root", () => {
  const cwd = (directory: string, home: string) =>
    buildCommand({ text: "" }, { ...workspace, directory }, { ...agent, user: { ...agent.user, home } }).cwd;
  assert.equal(cwd("/usr", "/tmp"), "/usr");
  assert.equal(cwd("/does/not/exist", "/tmp"), "/tmp");
  assert.equal(cwd("", "/does/not/exist"), "/");
});

test("variables and paths expand", () => {
  assert.equal(expandVariables("a$X-${Y}$-$1$", { X: "1" }), "a1-$-$1$");
  const options = { env: { D: "dir" }, home: "/home/u" };
  assert.equal(expandPath("", options), "");
  assert.equal(expandPath("~", options), "/home/u");
  assert.equal(expandPath("~/p", options), "/home/u/p");
  assert.equal(expandPath("$HOME/$D", options), "/home/u/dir");
  assert.equal(expandPath("rel", options), "/home/u/rel");
  assert.equal(expandPath("rel", { ...options, base: "/logs" }), "/logs/rel");
});

test("shell words", () => {
  assert.deepEqual(shellWords(`a 'b c' "d \\" e" f\\ g ''`), ["a", "b c", 'd " e', "f g", ""]);
  assert.equal(shellWords(`a 'b`), undefined);
});

test("the user comes from passwd, then from the environment", async (t) => {
  const dir = await tempDir(t);
  const uid = process.getuid?.() ?? 0;
  const file = join(dir, "passwd");
  writeFileSync(file, `x:x:99999:1::/x:/bin/x\nme:x:${uid}:0:Me:/home/me:/bin/zsh\n`);
  assert.deepEqual(currentUser({}, file), { name: "me", home: "/home/me", shell: "/bin/zsh" });
  assert.equal(currentUser({ HOME: "/elsewhere" }, file).home, "/elsewhere");
});

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { create } from "@bufbuild/protobuf";
import { ManifestSchema } from "#rpc/gen/agent_pb.js";
import { referencePath } from "#testutil/testutil.ts";
import ssh2 from "ssh2";
import { hostKey } from "./agentssh/hostkey.ts";
import { buildEnvironment, commandLine, expand, loginShell, workingDirectory } from "./environment.ts";

const manifest = create(ManifestSchema, {
  workspaceName: "ws",
  agentName: "main",
  ownerUsername: "alice",
  environmentVariables: { FROM_TEMPLATE: "x$HOME", PATH: "/tmpl/bin:$PATH" },
});
const base = { HOME: "/home/alice", PATH: "/usr/bin:/bin", LANG: "C.UTF-8" };
const build = (requested: Record<string, string> = {}): Record<string, string> =>
  buildEnvironment({
    base,
    manifest,
    workspaceId: "id",
    agentToken: "token",
    agentCommand: "/opt/coder",
    scriptBinDir: "/scripts/bin",
    shell: "/bin/bash",
    user: "alice",
    requested,
  });

describe("buildEnvironment()", () => {
  it("layers process, fixed set, manifest, PATH", () => {
    const env = build({ CODER: "false", MINE: "1" });
    assert.equal(env["MINE"], "1");
    assert.equal(env["CODER"], "true", "the fixed set wins over the client");
    assert.equal(env["FROM_TEMPLATE"], "x/home/alice");
    assert.equal(env["PATH"], "/scripts/bin:/tmpl/bin:/usr/bin:/bin");
    assert.equal(env["GIT_SSH_COMMAND"], "/opt/coder gitssh --");
    assert.equal(env["SSH_CONNECTION"], "0.0.0.0 0 0.0.0.0 0");
    assert.ok(!("VSCODE_PROXY_URI" in env));
  });

  it("has the names of a stock agent's session", (t) => {
    const path = referencePath(t, "agent-vectors.json");
    if (!path) return;
    const recorded: string[] = Object.keys(
      JSON.parse(readFileSync(path, "utf8")).ssh_session_environment.env,
    );
    const env = build();
    // What the agent's own process and the shell bring is not ours to make.
    const inherited =
      /^(CODER_AGENT_(AUTH|LOG_DIR|SOCKET_PATH|URL)|TS_DEBUG_TRIM_WIREGUARD|TMPDIR|PWD|SHLVL|_|OLDPWD)$/;
    assert.deepEqual(
      recorded.filter((name) => !(name in env) && !inherited.test(name)),
      [],
    );
  });
});

describe("shells and folders", () => {
  it("expand() reads both forms; unset is empty", () => {
    assert.equal(expand("a$HOME-${LANG}-$NOPE.", base), "a/home/alice-C.UTF-8-.");
  });

  it("a command line: login shell, interpreter, shell -c", () => {
    assert.deepEqual(commandLine(" ", "/bin/zsh"), { file: "/bin/zsh", args: ["-l"] });
    assert.deepEqual(commandLine("ls", "/bin/zsh"), { file: "/bin/zsh", args: ["-c", "ls"] });
    const script = "#!/usr/bin/env python3\nprint(1)";
    assert.deepEqual(commandLine(script, "/bin/sh"), {
      file: "/usr/bin/env",
      args: ["python3", "-c", script],
    });
  });

  it("loginShell() takes the user's line, else SHELL, else sh", () => {
    const uid = process.getuid?.() ?? 0;
    assert.equal(loginShell({}, `x:x:${uid}:0::/:/bin/sh\n`), "/bin/sh");
    assert.equal(loginShell({ SHELL: "/bin/fish" }, ""), "/bin/fish");
    assert.equal(loginShell({}, "broken\n"), "/bin/sh");
  });

  it("workingDirectory() falls back to home, then to the root", () => {
    assert.equal(workingDirectory({ directory: "/tmp" }, base), "/tmp");
    assert.equal(workingDirectory({ directory: "~/nope" }, { HOME: "/tmp" }), "/tmp");
    assert.equal(workingDirectory({ directory: "" }, { HOME: "/nope" }), "/");
  });
});

describe("hostKey()", () => {
  it("is stable, differs by agent, and is a key that ssh accepts", () => {
    const seed = { owner: "alice", workspace: "ws", agent: "main" };
    assert.equal(hostKey(seed), hostKey({ ...seed }));
    assert.notEqual(hostKey(seed), hostKey({ ...seed, agent: "other" }));
    const parsed = ssh2.utils.parseKey(hostKey(seed));
    assert.ok(!(parsed instanceof Error), "not a key");
    assert.equal(parsed.type, "ssh-ed25519");
    assert.equal(parsed.isPrivateKey(), true);
    const signature = parsed.sign("data");
    assert.ok(Buffer.isBuffer(signature) && parsed.verify("data", signature) === true);
  });
});

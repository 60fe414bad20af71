import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { cryptoRand } from "#cryptorand/cryptorand.ts";
import { realClock } from "#quartz/clock.ts";
import type { Engine } from "#provisionersdk/engine.ts";
import { eventually, repoRoot, tempDir } from "#testutil/testutil.ts";
import { findTerraform } from "../terraform/locate.ts";
import { terraformEngine } from "../terraform/engine.ts";
import { nativeEngine } from "./engine.ts";
import { type Build, runBuild } from "./nativetest/session.ts";
import { supports } from "./supports.ts";

const templateDir = join(repoRoot, "examples/local");
const files = Object.fromEntries(
  readdirSync(templateDir).map((name) => [name, readFileSync(join(templateDir, name), "utf8")]),
);

/** An agent that leaves things behind: a process in another session, and one of its session without the marker. */
const fakeAgent = `#!/bin/sh
trap 'echo ended > "$HOME/shutdown"; exit 0' TERM
echo "$CODER_AGENT_TOKEN $CODER_AGENT_URL" > "$HOME/started"
env | cut -d = -f 1 > "$HOME/names"
setsid sleep 1000.25 &
env -i sleep 1000.5 &
while :; do sleep 0.05; done
`;

interface Place {
  readonly home: string;
  readonly id: string;
  readonly env: Record<string, string | undefined>;
}

async function place(t: TestContext): Promise<Place> {
  const dir = await tempDir(t);
  const id = cryptoRand.uuid();
  const agent = join(dir, "it's an agent.sh");
  writeFileSync(agent, fakeAgent, { mode: 0o755 });
  const env = {
    PATH: process.env["PATH"],
    HOME: dir,
    CODER_LOCAL_AGENT: `'${agent.replaceAll("'", `'\\''`)}'`,
    CODER_LOCAL_WORKSPACES: join(dir, "workspaces"),
  };
  t.after(() => {
    execFileSync("sh", [join(templateDir, "agent.sh"), "remove"], {
      env: { ...env, LOCAL_ID: id, CODER_LOCAL_GRACE: "0" },
    });
  });
  return { home: join(dir, "workspaces", id), id, env };
}

function native(env: Place["env"]): Engine {
  return nativeEngine({
    rand: cryptoRand,
    os: "linux",
    arch: "amd64",
    env,
    agentScripts: { linux_amd64: "echo init" },
  });
}

async function build(
  t: TestContext,
  engine: Engine,
  at: Place,
  transition: "start" | "stop" | "destroy",
  before?: Build,
  parameters: Record<string, string> = {},
): Promise<Build> {
  const made = await runBuild(engine, await tempDir(t), {
    files,
    transition,
    parameters,
    metadata: { workspaceId: at.id },
    ...(before?.apply ? { state: before.apply.state } : {}),
  });
  assert.equal(made.error, "", made.logs.map(({ output }) => output).join("\n"));
  return made;
}

/** Commands of processes that have the workspace's marker, or are one of the leftovers in its sessions. */
function running(id: string): string[] {
  return readdirSync("/proc")
    .filter((pid) => /^\d+$/.test(pid))
    .flatMap((pid) => {
      try {
        const environ = readFileSync(`/proc/${pid}/environ`, "latin1");
        return environ.includes(`CODER_LOCAL_WORKSPACE=${id}\0`)
          ? [`${pid} ${readFileSync(`/proc/${pid}/cmdline`, "latin1")}`]
          : [];
      } catch {
        return [];
      }
    });
}

function sleeping(seconds: string): number {
  return readdirSync("/proc").filter((pid) => {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, "latin1") === `sleep\0${seconds}\0`;
    } catch {
      return false;
    }
  }).length;
}

const started = (at: Place) => eventually("the agent has started", () => existsSync(join(at.home, "names")));

function canUnshare(): boolean {
  try {
    execFileSync("unshare", ["--pid", "--fork", "--mount-proc", "--kill-child", "true"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

async function lifecycle(t: TestContext, engine: Engine, at: Place, isolate: boolean): Promise<void> {
  const parameters = { isolate: String(isolate) };
  const strays = sleeping("1000.5");
  const first = await build(t, engine, at, "start", undefined, parameters);
  await started(at);
  const agent = first.graph?.resources.find(({ name }) => name === "machine")?.agents[0];
  assert.equal(agent?.name, "main");
  assert.equal(agent.apps[0]?.slug, "processes");
  const token = agent.auth.case === "token" ? agent.auth.value : "";
  assert.equal(readFileSync(join(at.home, "started"), "utf8"), `${token} https://coder.example.test\n`);
  const names = readFileSync(join(at.home, "names"), "utf8").split("\n");
  assert.ok(
    !names.some((name) => name.startsWith("CODER_WORKSPACE_") || name === "LOCAL_ID"),
    names.join(" "),
  );
  assert.equal(existsSync(join(at.home, ".coder/namespace")), isolate);

  const second = await build(t, engine, at, "start", first, parameters);
  await eventually(
    "the second agent has started",
    () => readFileSync(join(at.home, "started"), "utf8").split(" ")[0] !== token,
  );
  assert.ok(existsSync(join(at.home, "shutdown")), "the first one ended by itself");

  writeFileSync(join(at.home, "kept"), "x");
  const stopped = await build(t, engine, at, "stop", second, parameters);
  assert.deepEqual(running(at.id), []);
  assert.equal(sleeping("1000.5"), strays, "what has no marker ended with its session");
  assert.ok(existsSync(join(at.home, "kept")), "files outlive a stop");

  const third = await build(t, engine, at, "start", stopped, parameters);
  await eventually("it runs again", () => running(at.id).length > 0);
  await build(t, engine, at, "destroy", third, parameters);
  assert.deepEqual(running(at.id), []);
  assert.equal(existsSync(at.home), false);
}

describe("examples/local", () => {
  it("is known to the native engine as a whole", () => {
    assert.deepEqual(supports(templateDir), { ok: true });
  });

  it("starts, restarts, stops and deletes completely without a PID namespace", async (t) => {
    const at = await place(t);
    await lifecycle(t, native(at.env), at, false);
  });

  it("does so in a PID namespace", async (t) => {
    if (!canUnshare()) return t.skip("unshare --pid is not allowed here: the namespace is not tested");
    const at = await place(t);
    await lifecycle(t, native(at.env), at, true);
  });

  it("runs the init script where the daemon names no agent", async (t) => {
    const at = await place(t);
    const { CODER_LOCAL_AGENT: _none, ...rest } = at.env;
    // As first process of its namespace a sleep does not heed SIGTERM.
    const env = { ...rest, CODER_LOCAL_GRACE: "1" };
    const engine = nativeEngine({
      rand: cryptoRand,
      os: "linux",
      arch: "amd64",
      env,
      agentScripts: { linux_amd64: 'echo "$CODER_AGENT_TOKEN" > "$HOME/names"; exec sleep 1000.75' },
    });
    const made = await build(t, engine, at, "start");
    await started(at);
    await build(t, engine, at, "destroy", made);
    assert.deepEqual(running(at.id), []);
  });

  it("becomes the same resources under Terraform, and the state passes between the engines", async (t) => {
    const found = await findTerraform({ setting: "", path: process.env["PATH"] ?? "" }).catch(
      () => undefined,
    );
    if (!found) return t.skip("terraform is not on PATH: the engines are not compared");
    const at = await place(t);
    const cacheDir = join(await tempDir(t), "cache");
    mkdirSync(cacheDir);
    const terraform = terraformEngine({
      binary: "",
      env: at.env,
      cacheDir,
      agentScripts: { linux_amd64: "echo init" },
      rand: cryptoRand,
      machine: { platform: "linux", arch: "x64" },
    });
    const byTerraform = await build(t, terraform, at, "start");
    await started(at);
    const byNative = await build(t, native(at.env), at, "start", byTerraform);
    const shape = (made: Build): unknown =>
      JSON.parse(
        JSON.stringify(made.graph?.resources, (_key, value: unknown) =>
          typeof value === "bigint" ? Number(value) : value,
        ).replace(/"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"/g, '"<id>"'),
      );
    assert.deepEqual(shape(byNative), shape(byTerraform));
    const end = await build(t, terraform, at, "destroy", byNative);
    assert.deepEqual(JSON.parse(Buffer.from(end.apply?.state ?? "").toString()).resources, []);
    assert.deepEqual(running(at.id), []);
    assert.equal(existsSync(at.home), false);
  });

  it("applies without waiting for anything", async (t) => {
    const at = await place(t);
    const began = realClock.monotonic();
    await build(t, native(at.env), at, "start");
    const took = realClock.monotonic() - began;
    t.diagnostic(`init, plan, graph, apply, graph: ${took.toFixed(0)} ms`);
    assert.ok(took < 5000);
  });
});

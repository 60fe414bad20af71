/** What Terraform might do at worst, by a shell script in its place: these run where no Terraform is. */
import assert from "node:assert/strict";
import { chmod, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { seededRand } from "#cryptorand/seeded.ts";
import { LogLevel } from "#rpc/gen/provisionersdk_pb.js";
import { tempDir } from "#testutil/testutil.ts";
import { runBuild, type Build, type BuildInput } from "../native/nativetest/session.ts";
import { terraformEngine } from "./engine.ts";

const agentPlan = JSON.stringify({
  planned_values: {
    root_module: {
      resources: [
        {
          address: "terraform_data.box",
          mode: "managed",
          type: "terraform_data",
          name: "box",
          values: {},
        },
      ],
    },
  },
  resource_changes: [],
});

const wholeState = '{"version":4,"serial":1,"lineage":"l","outputs":{},"resources":[]}';

/** Each step as shell commands; what is not given succeeds without a word. */
interface Script {
  readonly plan?: string;
  readonly show?: string;
  readonly graph?: string;
  readonly apply?: string;
}

async function build(t: TestContext, script: Script, input: Partial<BuildInput> = {}): Promise<Build> {
  const dir = await tempDir(t);
  const binary = join(dir, "terraform");
  const steps = {
    version: `echo '{"terraform_version":"1.11.4"}'`,
    show: `printf '%s' '${agentPlan}'`,
    graph: "echo 'digraph {}'",
    apply: `printf '%s' '${wholeState}' > terraform.tfstate`,
    ...script,
  };
  const cases = Object.entries(steps).map(([name, commands]) => `${name})\n${commands}\n;;`);
  await writeFile(binary, `#!/bin/sh\ncase "$1" in\n${cases.join("\n")}\nesac\n`);
  await chmod(binary, 0o755);
  const engine = terraformEngine({
    binary,
    env: { PATH: process.env["PATH"] },
    cacheDir: join(dir, "cache"),
    agentScripts: {},
    rand: seededRand("fake"),
    machine: { platform: "linux", arch: "x64" },
  });
  return runBuild(engine, join(dir, "work"), { files: { "main.tf": "" }, ...input });
}

test("a whole build with nothing but the commands that Terraform has", async (t) => {
  const { error, planned, apply } = await build(t, {});
  assert.equal(error, "");
  assert.deepEqual(
    planned?.resources.map(({ name }) => name),
    ["box"],
  );
  assert.equal(Buffer.from(apply?.state ?? []).toString(), wholeState);
});

test("garbage on the output becomes log lines, whatever it is", async (t) => {
  const { error, logs } = await build(t, {
    plan: `printf 'plain\\n{"@level":"warn","@message":"json"}\\n{"broken\\n\\000\\377\\n'; head -c 3000000 /dev/zero | tr '\\0' x; echo; echo oops >&2`,
  });
  assert.equal(error, "");
  const levels = logs.map(({ level, output }) => [LogLevel[level], output.slice(0, 8)]);
  for (const line of [
    ["INFO", "plain"],
    ["WARN", "json"],
    ["INFO", '{"broken'],
    ["INFO", "\0\ufffd"],
    ["INFO", "xxxxxxxx"],
    ["ERROR", "oops"],
  ]) {
    assert.ok(
      levels.some((found) => JSON.stringify(found) === JSON.stringify(line)),
      JSON.stringify(line),
    );
  }
});

test("values of variables are in no list of processes and in no environment", async (t) => {
  const { error, logs } = await build(
    t,
    { plan: 'echo "$@"; env; cat ../variables.tfvars' },
    { variables: { secret: "canary" } },
  );
  assert.equal(error, "");
  const lines = logs.map(({ output }) => output);
  assert.deepEqual(
    lines.filter((line) => line.includes("canary")),
    ['secret = "canary"'],
  );
});

test("a plan that cannot be shown, or is shown as nonsense, fails with a reason", async (t) => {
  const failed = await build(t, { show: "echo no such plan >&2; exit 1" });
  assert.equal(failed.error, "terraform show: exit status 1\nno such plan");
  assert.match(
    (await build(t, { show: "echo nonsense" })).error,
    /terraform show printed no JSON, but "nonsense/,
  );
  assert.match(
    (await build(t, { show: "echo '[]'" })).error,
    /the plan of Terraform's JSON must be an object/,
  );
  assert.match((await build(t, { graph: "exit 7" })).error, /terraform graph: exit status 7/);
});

test("an apply that dies returns what is on disk", async (t) => {
  const partly = await build(t, { apply: `printf '%s' '${wholeState}' > terraform.tfstate; kill -9 $$` });
  assert.equal(partly.error, "terraform apply: signal: killed");
  assert.equal(Buffer.from(partly.apply?.state ?? []).toString(), wholeState);
  const none = await build(t, { apply: "exit 1" });
  assert.equal(none.apply?.state.length, 0);
});

test("a torn state falls back to the backup, and says so", async (t) => {
  const torn = `printf '%s' '${wholeState}' > terraform.tfstate.backup; printf '{"version":4,"res' > terraform.tfstate; kill -9 $$`;
  const { apply, logs } = await build(t, { apply: torn });
  assert.equal(Buffer.from(apply?.state ?? []).toString(), wholeState);
  assert.ok(logs.some(({ level, output }) => level === LogLevel.ERROR && output.includes("torn")));
  const { apply: nothing } = await build(t, { apply: `printf '{' > terraform.tfstate; exit 1` });
  assert.equal(nothing?.state.length, 0);
});

test("a large state passes through", async (t) => {
  const state = Buffer.from(JSON.stringify({ version: 4, resources: [], filler: "x".repeat(20 << 20) }));
  const { error, apply } = await build(t, { apply: "true" }, { state });
  assert.equal(error, "");
  assert.deepEqual(apply?.state, state);
});

test("what hangs is killed when the waiting is over", async (t) => {
  const killed = new AbortController();
  const { error } = await build(
    t,
    { plan: "trap '' INT; echo hanging; sleep 600" },
    {
      killed: killed.signal,
      onLine(line) {
        if (line === "hanging") killed.abort();
      },
    },
  );
  assert.equal(error, "terraform plan: signal: killed");
});

test("a cancel between the commands ends the job before the next one", async (t) => {
  const canceled = new AbortController();
  const { error } = await build(
    t,
    { plan: "echo planned" },
    {
      canceled: canceled.signal,
      onLine(line) {
        if (line === "planned") canceled.abort();
      },
    },
  );
  assert.match(error, /context canceled|terraform (?:plan|show|graph): signal: interrupt/);
});

import assert from "node:assert/strict";
import { chmod, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { packTar } from "modern-tar";
import { cryptoRand } from "#cryptorand/cryptorand.ts";
import { realClock } from "#quartz/clock.ts";
import { discardLogger } from "#slog/slog.ts";
import { eventually, tempDir } from "#testutil/testutil.ts";
import { SessionClient } from "#provisionersdk/client.ts";
import { provisionerRouter } from "#provisionersdk/session.ts";
import { drpcClient } from "#rpc/drpc/client.ts";
import { memoryStreams } from "#rpc/drpc/memory.ts";
import {
  GraphSource,
  LogLevel,
  MetadataSchema,
  Provisioner,
  WorkspaceTransition,
  type Metadata,
  type PlanRequestSchema,
} from "#rpc/gen/provisionersdk_pb.js";
import { terraformEngine } from "./engine.ts";
import type { TerraformEngineOptions } from "./host.ts";
import { findTerraform } from "./locate.ts";

async function hasTerraform(t: TestContext): Promise<boolean> {
  const found = await findTerraform({ setting: "", path: process.env["PATH"] ?? "" }).catch(() => undefined);
  if (found === undefined) t.skip("Terraform is not on PATH: its engine cannot be tried");
  return found !== undefined;
}

interface Job {
  readonly session: SessionClient;
  readonly logs: { readonly level: LogLevel; readonly output: string }[];
}

async function startJob(t: TestContext, more: Partial<TerraformEngineOptions> = {}): Promise<Job> {
  const dir = await tempDir(t);
  const engine = terraformEngine({
    binary: "",
    env: { PATH: process.env["PATH"], HOME: dir, CODER_SECRET_OF_THE_DAEMON: "canary-daemon" },
    cacheDir: join(dir, "cache"),
    agentScripts: { linux_amd64: "init ${ACCESS_URL} ${AUTH_TYPE}" },
    rand: cryptoRand,
    machine: { platform: "linux", arch: "x64" },
    ...more,
  });
  const router = provisionerRouter({
    engine,
    workDir: join(dir, "work"),
    clock: realClock,
    rand: cryptoRand,
    log: discardLogger,
    exitTimeoutMs: 10_000,
  });
  const logs: Job["logs"] = [];
  const session = await SessionClient.start(drpcClient(Provisioner, memoryStreams(router)), {
    config: {},
    onLog: ({ level, output }) => logs.push({ level, output }),
  });
  t.after(() => session[Symbol.asyncDispose]());
  return { session, logs };
}

function tar(files: Readonly<Record<string, string>>): Promise<Uint8Array> {
  return packTar(
    Object.entries(files).map(([name, text]) => {
      const body = Buffer.from(text);
      return { header: { name, type: "file" as const, size: body.length, mode: 0o644 }, body };
    }),
  );
}

const providers = 'terraform {\n  required_providers {\n    coder = { source = "coder/coder" }\n  }\n}\n';

const template = {
  "providers.tf": providers,
  "main.tf": `
variable "shape" {
  description = "Shape"
  default     = "round"
}
data "coder_workspace" "me" {}
data "coder_workspace_owner" "me" {}
data "coder_parameter" "size" {
  name    = "size"
  type    = "number"
  default = 1
  mutable = true
}
resource "coder_agent" "main" {
  os             = "linux"
  arch           = "amd64"
  startup_script = "echo \${data.coder_parameter.size.value} \${var.shape}"
}
resource "coder_app" "web" {
  agent_id = coder_agent.main.id
  slug     = "web"
}
resource "terraform_data" "box" {
  count = data.coder_workspace.me.start_count
  input = coder_agent.main.id
  provisioner "local-exec" {
    command = "env | sort"
  }
}
resource "coder_metadata" "box" {
  count       = data.coder_workspace.me.start_count
  resource_id = terraform_data.box[0].id
  daily_cost  = 7
  item {
    key   = "owner"
    value = data.coder_workspace_owner.me.name
  }
}
`,
  "README.md": "# Box",
};

function metadata(transition: WorkspaceTransition): Metadata {
  return create(MetadataSchema, {
    coderUrl: "https://coder.example.test",
    workspaceTransition: transition,
    workspaceName: "wren",
    workspaceOwner: "mira",
    workspaceOwnerSessionToken: "canary-session",
    workspaceOwnerSshPrivateKey: "canary-key",
  });
}

/** One build: what it leaves. */
async function build(
  t: TestContext,
  transition: WorkspaceTransition,
  more: MessageInitShape<typeof PlanRequestSchema> = {},
  files: Readonly<Record<string, string>> = template,
) {
  const job = await startJob(t);
  const init = await job.session.init({ templateSourceArchive: await tar(files), omitModuleFiles: true });
  assert.equal(init.error, "");
  const plan = await job.session.plan({ metadata: metadata(transition), ...more });
  assert.equal(plan.error, "", JSON.stringify(job.logs));
  const apply = await job.session.apply({ metadata: metadata(transition) });
  const graph = await job.session.graph({ metadata: metadata(transition), source: GraphSource.SOURCE_STATE });
  return { ...job, plan, apply, graph };
}

test("an import finds parameters, variables and resources of both transitions", async (t) => {
  if (!(await hasTerraform(t))) return;
  const { session } = await startJob(t);
  const init = await session.init({ templateSourceArchive: await tar(template) });
  assert.equal(init.error, "");
  assert.deepEqual(init.modules, []);
  assert.equal(init.moduleFiles.length, 0);
  assert.deepEqual(init.timings.map(({ resource }) => resource)[0], "coder_stage_init");
  const parse = await session.parse();
  assert.equal(Buffer.from(parse.readme).toString(), "# Box");
  assert.deepEqual(
    parse.templateVariables.map(({ name, defaultValue }) => [name, defaultValue]),
    [["shape", "round"]],
  );
  const plan = await session.plan({ metadata: metadata(WorkspaceTransition.START) });
  assert.equal(plan.dailyCost, 7);
  assert.equal(JSON.parse(Buffer.from(plan.plan).toString()).format_version, "1.2");
  const started = await session.graph({ source: GraphSource.SOURCE_PLAN });
  assert.deepEqual(
    started.parameters.map(({ name, mutable }) => [name, mutable]),
    [["size", true]],
  );
  const [box] = started.resources;
  assert.equal(box?.name, "box");
  assert.equal(box?.dailyCost, 7);
  assert.deepEqual(
    box?.agents.map(({ name, apps }) => [name, apps.map(({ slug }) => slug)]),
    [["main", ["web"]]],
  );
  await session.plan({ metadata: metadata(WorkspaceTransition.STOP) });
  assert.deepEqual((await session.graph({ source: GraphSource.SOURCE_PLAN })).resources, []);
});

test("a workspace starts, stops, starts and goes; parameters and variables arrive; credentials stay inside", async (t) => {
  if (!(await hasTerraform(t))) return;
  const values = {
    richParameterValues: [{ name: "size", value: "5" }],
    variableValues: [{ name: "shape", value: "square" }],
  };
  const first = await build(t, WorkspaceTransition.START, values);
  assert.equal(first.apply.error, "");
  const agent = first.graph.resources[0]?.agents[0];
  assert.equal(agent?.scripts[0]?.script, "echo 5 square");
  assert.match(agent?.auth.case === "token" ? agent.auth.value : "", /^[0-9a-f-]{36}$/);
  assert.deepEqual(
    first.graph.resources[0]?.metadata.map(({ value }) => value),
    ["mira"],
  );
  const text = first.logs.map(({ output }) => output).join("\n");
  assert.match(text, /CODER_WORKSPACE_NAME=wren/);
  assert.ok(!text.includes("canary"), "credentials reached the log");
  assert.ok(
    first.apply.timings.some(
      ({ resource, action }) => resource === "terraform_data.box[0]" && action === "create",
    ),
  );
  const state = first.apply.state;
  assert.match(Buffer.from(state).toString(), /https:\/\/coder\.example\.test\/ token/);

  const stopped = await build(t, WorkspaceTransition.STOP, { ...values, state });
  assert.deepEqual(stopped.graph.resources, []);
  const again = await build(t, WorkspaceTransition.START, { ...values, state: stopped.apply.state });
  assert.equal(again.graph.resources[0]?.agents[0]?.id, agent?.id);
  const gone = await build(t, WorkspaceTransition.DESTROY, { ...values, state: again.apply.state });
  assert.equal(gone.apply.error, "");
  assert.deepEqual(JSON.parse(Buffer.from(gone.apply.state).toString()).resources, []);
});

test("a delete without a state runs nothing", async (t) => {
  if (!(await hasTerraform(t))) return;
  const { apply, graph, logs } = await build(t, WorkspaceTransition.DESTROY);
  assert.equal(apply.error, "");
  assert.equal(apply.state.length, 0);
  assert.deepEqual(graph.resources, []);
  assert.equal(logs.filter(({ output }) => output.includes("there is nothing to do")).length, 2);
});

test("a failed apply keeps what was made, and the next one goes on from there", async (t) => {
  if (!(await hasTerraform(t))) return;
  const files = {
    "providers.tf": providers,
    "main.tf": `
resource "terraform_data" "good" { input = "kept" }
resource "terraform_data" "bad" {
  depends_on = [terraform_data.good]
  provisioner "local-exec" { command = "echo it broke >&2; exit 3" }
}
`,
  };
  const { apply, logs } = await build(t, WorkspaceTransition.START, {}, files);
  assert.equal(apply.error, "terraform apply: exit status 1");
  assert.match(Buffer.from(apply.state).toString(), /kept/);
  assert.ok(logs.some(({ level, output }) => level === LogLevel.ERROR && output.includes("exit status 3")));
  assert.ok(
    logs.some(({ level, output }) => level === LogLevel.ERROR && output.startsWith("on main.tf line 5")),
  );
  const repaired = { ...files, "main.tf": files["main.tf"].replace("exit 3", "true") };
  const next = await build(t, WorkspaceTransition.START, { state: apply.state }, repaired);
  assert.equal(next.apply.error, "");
  const made = next.logs.map(({ output }) => output).filter((output) => output.endsWith(": Creating..."));
  assert.deepEqual(made, ["terraform_data.bad: Creating..."]);
});

test("a cancelled apply is interrupted, and keeps its state", async (t) => {
  if (!(await hasTerraform(t))) return;
  const files = {
    "main.tf": `
resource "terraform_data" "good" { input = "kept" }
resource "terraform_data" "slow" {
  depends_on = [terraform_data.good]
  provisioner "local-exec" { command = "echo begun; exec sleep 600" }
}
`,
  };
  const { session, logs } = await startJob(t);
  await session.init({ templateSourceArchive: await tar(files) });
  await session.plan({ metadata: metadata(WorkspaceTransition.START) });
  const applying = session.apply({ metadata: metadata(WorkspaceTransition.START) });
  await eventually("the slow command runs", () => logs.some(({ output }) => output.endsWith("begun")));
  await session.cancel();
  const { error, state } = await applying;
  assert.equal(error, "terraform apply: exit status 1");
  assert.match(Buffer.from(state).toString(), /kept/);
});

test("Terraform killed in the middle of an apply: the daemon lives, the state is what was written", async (t) => {
  if (!(await hasTerraform(t))) return;
  const files = {
    "main.tf": `
resource "terraform_data" "good" { input = "kept" }
resource "terraform_data" "deadly" {
  depends_on = [terraform_data.good]
  provisioner "local-exec" { command = "kill -9 $PPID" }
}
`,
  };
  const { apply } = await build(t, WorkspaceTransition.START, {}, files);
  assert.equal(apply.error, "terraform apply: signal: killed");
  assert.match(Buffer.from(apply.state).toString(), /kept/);
});

test("templates that are wrong fail with Terraform's diagnostics in the log", async (t) => {
  if (!(await hasTerraform(t))) return;
  const syntax = await startJob(t);
  const init = await syntax.session.init({
    templateSourceArchive: await tar({ "main.tf": 'resource "a" {' }),
  });
  assert.equal(init.error, "initialize terraform: exit status 1");
  assert.ok(
    syntax.logs.some(({ level, output }) => level === LogLevel.ERROR && output.includes("main.tf line 1")),
  );

  const value = await startJob(t);
  const files = {
    "a.tf": providers,
    "main.tf": 'resource "coder_agent" "a" {\n  os = "beos"\n  arch = "amd64"\n}\n',
  };
  await value.session.init({ templateSourceArchive: await tar(files) });
  const plan = await value.session.plan({ metadata: metadata(WorkspaceTransition.START) });
  assert.equal(plan.error, "terraform plan: exit status 1");
  assert.ok(value.logs.some(({ output }) => output.startsWith("on main.tf line 2")));
  assert.ok(plan.timings.some(({ resource }) => resource === "coder_stage_plan"));

  const names = await startJob(t);
  const twice = `${providers}resource "coder_agent" "a_b" {\n  os = "linux"\n  arch = "amd64"\n}\n`;
  await names.session.init({ templateSourceArchive: await tar({ "main.tf": twice }) });
  await names.session.plan({ metadata: metadata(WorkspaceTransition.START) });
  assert.match(
    (await names.session.graph({ source: GraphSource.SOURCE_PLAN })).error,
    /"a_b" contains underscores/,
  );
});

test("values of variables arrive as they are", async (t) => {
  if (!(await hasTerraform(t))) return;
  const hostile = 'a"b\\ \n $${x} %{if} ${path.module} \t é $$${y}';
  const files = {
    "main.tf": `
variable "text" {}
variable "list" { type = list(string) }
variable "number" { type = number }
resource "terraform_data" "seen" {
  input = jsonencode([var.text, var.list, var.number])
}
`,
  };
  const variableValues = [
    { name: "text", value: hostile, sensitive: true },
    { name: "list", value: '["one", "two"]', sensitive: false },
    { name: "number", value: "5", sensitive: false },
  ];
  const { apply } = await build(t, WorkspaceTransition.START, { variableValues }, files);
  assert.equal(apply.error, "");
  const { resources } = JSON.parse(Buffer.from(apply.state).toString());
  const input: string = resources[0].instances[0].attributes.input.value;
  assert.deepEqual(JSON.parse(input), [hostile, ["one", "two"], 5]);
});

test("a version of our provider and a lock file of upstream's do not matter", async (t) => {
  if (!(await hasTerraform(t))) return;
  const lock = `provider "registry.terraform.io/coder/coder" {
  version     = "2.4.2"
  constraints = "2.4.2"
  hashes      = ["h1:0000000000000000000000000000000000000000000="]
}
`;
  const main = `${providers.replace('"coder/coder"', '"coder/coder", version = "2.4.2"')}data "coder_workspace" "me" {}\n`;
  for (const files of [{ "main.tf": main }, { "main.tf": main, ".terraform.lock.hcl": lock }]) {
    const { apply } = await build(t, WorkspaceTransition.START, {}, files);
    assert.equal(apply.error, "");
  }
});

test("local modules work; they are listed, and archived where they were fetched", async (t) => {
  if (!(await hasTerraform(t))) return;
  const files = {
    "main.tf": `${providers}module "tool" {\n  source = "./tool"\n}\n`,
    "tool/main.tf": `${providers}data "coder_parameter" "inner" {\n  name = "inner"\n}\n`,
  };
  const { session } = await startJob(t);
  const init = await session.init({ templateSourceArchive: await tar(files) });
  assert.deepEqual(
    init.modules.map(({ key, source, dir }) => [key, source, dir]),
    [["tool", "./tool", "tool"]],
  );
  assert.equal(init.moduleFiles.length, 0);
  await session.plan({ metadata: metadata(WorkspaceTransition.START) });
  const { parameters } = await session.graph({ source: GraphSource.SOURCE_PLAN });
  assert.deepEqual(
    parameters.map(({ name }) => name),
    ["inner"],
  );
});

test("without a usable Terraform the job says what helps", async (t) => {
  const dir = await tempDir(t);
  const init = async (more: Partial<TerraformEngineOptions>): Promise<string> => {
    const { session } = await startJob(t, more);
    return (await session.init({ templateSourceArchive: await tar({}) })).error;
  };
  assert.match(
    await init({ env: { PATH: dir } }),
    /no Terraform binary was found on PATH.*CODER_TERRAFORM_BINARY/,
  );
  assert.match(await init({ binary: join(dir, "missing") }), /cannot be run: .*missing/);
  const old = join(dir, "old");
  await writeFile(old, `#!/bin/sh\necho '{"terraform_version":"1.0.9"}'\n`);
  await chmod(old, 0o755);
  assert.equal(await init({ binary: old }), 'terraform version "1.0.9" is too old. required >= "1.1.0"');
  await writeFile(old, "#!/bin/sh\necho hello\n");
  assert.match(await init({ binary: old }), /does not say which version/);
  await writeFile(old, "#!/bin/sh\necho broken >&2; exit 4\n");
  assert.match(await init({ binary: old }), /terraform version: exit status 4\nbroken/);
});

test("settings of Terraform in the daemon's environment are named, secrets among them are not shown", async (t) => {
  if (!(await hasTerraform(t))) return;
  const env = { PATH: process.env["PATH"], TF_TOKEN_example_com: "canary-token", TF_IN_AUTOMATION: "1" };
  const { session, logs } = await startJob(t, { env });
  await session.init({ templateSourceArchive: await tar({ "main.tf": "" }) });
  const lines = logs.map(({ output }) => output);
  assert.ok(lines.includes("terraform environment variable: TF_IN_AUTOMATION=1"));
  assert.ok(lines.includes("terraform environment variable: TF_TOKEN_example_com=<value redacted>"));
  assert.ok(!lines.join().includes("canary"));
});

/**
 * `npm run bench -- terraform [ROUNDS]`: the stages of a build with the Terraform engine, through the session protocol,
 * beside upstream's (recorded with Terraform 1.11.4 and a local mirror on 2 cores). Medians in milliseconds.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { create } from "@bufbuild/protobuf";
import { packTar } from "modern-tar";
import { cryptoRand } from "#cryptorand/cryptorand.ts";
import { realClock } from "#quartz/clock.ts";
import { discardLogger } from "#slog/slog.ts";
import { agentScripts } from "#provisionersdk/agent-scripts.ts";
import { SessionClient } from "#provisionersdk/client.ts";
import { provisionerRouter } from "#provisionersdk/session.ts";
import { terraformEngine } from "#provisioner/terraform/engine.ts";
import { drpcClient } from "#rpc/drpc/client.ts";
import { memoryStreams } from "#rpc/drpc/memory.ts";
import { GraphSource, MetadataSchema, Provisioner, WorkspaceTransition } from "#rpc/gen/provisionersdk_pb.js";

/** The kind of template that upstream's figures were taken with: an agent, an app, parameters, a metadata item. */
const template = `
terraform {
  required_providers {
    coder = { source = "coder/coder" }
  }
}
data "coder_workspace" "me" {}
data "coder_workspace_owner" "me" {}
data "coder_parameter" "one" {
  name    = "one"
  default = "1"
}
data "coder_parameter" "two" {
  name    = "two"
  type    = "number"
  default = 2
}
resource "coder_agent" "main" {
  os             = "linux"
  arch           = "amd64"
  startup_script = "true"
}
resource "coder_app" "web" {
  agent_id = coder_agent.main.id
  slug     = "web"
}
resource "terraform_data" "box" {
  count = data.coder_workspace.me.start_count
  input = coder_agent.main.token
  provisioner "local-exec" {
    command = "true"
  }
}
resource "coder_metadata" "box" {
  count       = data.coder_workspace.me.start_count
  resource_id = terraform_data.box[0].id
  item {
    key   = "a"
    value = "b"
  }
}
`;

const upstream: Readonly<Record<string, number>> = {
  init: 96,
  plan: 372,
  apply: 222,
  graph: 175,
  build: 1230,
};

const rounds = Number(process.argv[2] ?? 10);
const dir = await mkdtemp(join(tmpdir(), "coder-bench-"));
const engine = terraformEngine({
  binary: "",
  env: process.env,
  cacheDir: join(dir, "cache"),
  agentScripts,
  rand: cryptoRand,
  machine: process,
});
const router = provisionerRouter({
  engine,
  workDir: join(dir, "work"),
  clock: realClock,
  rand: cryptoRand,
  log: discardLogger,
});
const body = Buffer.from(template);
const archive = await packTar([
  { header: { name: "main.tf", type: "file", size: body.length, mode: 0o644 }, body },
]);
const metadata = create(MetadataSchema, {
  coderUrl: "http://127.0.0.1:3000",
  workspaceTransition: WorkspaceTransition.START,
  workspaceName: "dev",
});

const times = new Map<string, number[]>();

async function measure<T extends { readonly error: string }>(
  name: string,
  work: () => Promise<T>,
): Promise<T> {
  const start = realClock.monotonic();
  const answer = await work();
  times.set(name, [...(times.get(name) ?? []), realClock.monotonic() - start]);
  if (answer.error !== "") throw new Error(`${name}: ${answer.error}`);
  return answer;
}

async function build(): Promise<{ readonly error: string }> {
  await using session = await SessionClient.start(drpcClient(Provisioner, memoryStreams(router)), {
    config: {},
    onLog() {},
  });
  await measure("init", () => session.init({ templateSourceArchive: archive, omitModuleFiles: true }));
  await measure("plan", () => session.plan({ metadata }));
  await measure("apply", () => session.apply({ metadata }));
  return await measure("graph", () => session.graph({ source: GraphSource.SOURCE_STATE }));
}

function median(values: readonly number[]): number {
  return values.toSorted((one, other) => one - other)[Math.floor(values.length / 2)] ?? Number.NaN;
}

try {
  await build();
  times.clear();
  for (let i = 0; i < rounds; i++) await measure("build", build);
  console.log(`stage   ours   upstream   (median of ${rounds}, ms)`);
  for (const name of ["init", "plan", "apply", "graph", "build"]) {
    const ours = median(times.get(name) ?? []).toFixed(0);
    console.log(`${name.padEnd(7)} ${ours.padStart(4)}   ${String(upstream[name]).padStart(8)}`);
  }
} finally {
  await rm(dir, { recursive: true, force: true });
}

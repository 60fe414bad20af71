import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { create } from "@bufbuild/protobuf";
import { realClock } from "#quartz/clock.ts";
import { discardLogger } from "#slog/slog.ts";
import type { Engine, EngineSession } from "#provisionersdk/engine.ts";
import {
  ApplyRequestSchema,
  ConfigSchema,
  GraphRequestSchema,
  InitRequestSchema,
  ParseRequestSchema,
  PlanRequestSchema,
} from "#rpc/gen/provisionersdk_pb.js";
import { tempDir } from "#testutil/testutil.ts";
import { autoEngine, type EngineSetting } from "./engine-auto.ts";

interface Setup {
  readonly engine: Engine;
  readonly session: EngineSession;
  readonly calls: string[];
  readonly logs: string[];
}

async function setup(
  t: TestContext,
  options: {
    readonly setting?: EngineSetting;
    readonly template?: readonly string[];
    readonly state?: readonly string[];
    readonly terraformError?: string;
  },
): Promise<Setup> {
  const calls: string[] = [];
  const logs: string[] = [];
  const named = (name: string, error = ""): Engine => {
    const called = async (what: string, answer: { error?: string } = {}): Promise<{ error?: string }> => {
      calls.push(`${name} ${what}`);
      return answer;
    };
    return {
      init: () => called("init", { error }),
      parse: () => called("parse"),
      plan: () => called("plan"),
      apply: () => called("apply"),
      graph: () => called("graph"),
    };
  };
  const dir = await tempDir(t);
  const never = new AbortController().signal;
  return {
    calls,
    logs,
    engine: autoEngine({
      setting: options.setting ?? "auto",
      native: named("native"),
      terraform: named("terraform", options.terraformError),
      unknownInTemplate: () => options.template ?? [],
      unknownInState: async () => options.state ?? [],
    }),
    session: {
      config: create(ConfigSchema),
      workDir: dir,
      files: dir,
      clock: realClock,
      log: discardLogger,
      canceled: never,
      killed: never,
      emit: (_, output) => logs.push(output),
    },
  };
}

async function runJob({ engine, session }: Setup): Promise<string> {
  const { error } = await engine.init(session, create(InitRequestSchema));
  if (error) return error;
  await engine.parse(session, create(ParseRequestSchema));
  const plan = await engine.plan(session, create(PlanRequestSchema, { state: Buffer.from("{}") }));
  if (plan.error) return plan.error;
  await engine.apply(session, create(ApplyRequestSchema));
  await engine.graph(session, create(GraphRequestSchema));
  return "";
}

const steps = (name: string): string[] =>
  ["init", "parse", "plan", "apply", "graph"].map((step) => `${name} ${step}`);

test("what the built-in engine knows it builds", async (t) => {
  const job = await setup(t, {});
  assert.equal(await runJob(job), "");
  assert.deepEqual(job.calls, steps("native"));
  assert.deepEqual(job.logs, []);
});

test("an unknown type leaves the whole job to Terraform, and says why", async (t) => {
  const job = await setup(t, { template: ["main.tf line 3: resource type aws_instance"] });
  assert.equal(await runJob(job), "");
  assert.deepEqual(job.calls, steps("terraform"));
  assert.match(job.logs.join(), /main\.tf line 3: resource type aws_instance/);
});

test("a foreign state leaves the job to Terraform before its plan", async (t) => {
  const job = await setup(t, { state: ["aws_instance.x in the state"] });
  assert.equal(await runJob(job), "");
  const expected = [
    "native init",
    "native parse",
    "terraform init",
    "terraform plan",
    "terraform apply",
    "terraform graph",
  ];
  assert.deepEqual(job.calls, expected);
});

test("without Terraform the error names what needs it; nothing was planned", async (t) => {
  const job = await setup(t, { state: ["aws_instance.x"], terraformError: "no Terraform" });
  assert.match(await runJob(job), /^no Terraform \(Terraform is needed for: aws_instance\.x\)$/);
  assert.deepEqual(job.calls, ["native init", "native parse", "terraform init"]);
});

test("the setting decides: native refuses what it does not know, terraform takes all", async (t) => {
  const many = Array.from({ length: 30 }, (_, i) => `line ${i}`);
  const native = await setup(t, { setting: "native", template: many });
  assert.match(await runJob(native), /line 9; and 20 more.*CODER_PROVISIONER_ENGINE=auto/);
  assert.deepEqual(native.calls, []);
  const terraform = await setup(t, { setting: "terraform" });
  await runJob(terraform);
  assert.deepEqual(terraform.calls, steps("terraform"));
});

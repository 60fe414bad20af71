import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join, relative } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { toJson } from "@bufbuild/protobuf";
import { cryptoRand } from "#cryptorand/cryptorand.ts";
import { realClock } from "#quartz/clock.ts";
import { type GraphComplete, GraphCompleteSchema } from "#rpc/gen/provisionersdk_pb.js";
import { eventually, referencePath, tempDir } from "#testutil/testutil.ts";
import { nativeEngine } from "./engine.ts";
import { type Build, type BuildInput, runBuild } from "./nativetest/session.ts";
import { supports } from "./supports.ts";

const scripts = Object.fromEntries(
  [
    "linux_amd64",
    "linux_arm64",
    "linux_armv7",
    "darwin_amd64",
    "darwin_arm64",
    "windows_amd64",
    "windows_arm64",
  ].map((platform) => [platform, `init ${platform.replace("_", " ")} \${ACCESS_URL} \${AUTH_TYPE}`]),
);

const engine = nativeEngine({
  rand: cryptoRand,
  os: "linux",
  arch: "amd64",
  agentScripts: scripts,
  env: { PATH: process.env["PATH"], CODER_SECRET: "no", CODER_LOCAL_AGENT: "yes" },
});

async function build(t: TestContext, input: BuildInput): Promise<Build> {
  return runBuild(engine, await tempDir(t), input);
}

const ok = (made: Build): Build => {
  assert.equal(made.error, "", made.logs.map(({ output }) => output).join("\n"));
  return made;
};

const stateOf = (made: Build): Uint8Array => made.apply?.state ?? new Uint8Array();

function instances(state: Uint8Array): Record<string, Record<string, unknown>> {
  const { resources } = JSON.parse(Buffer.from(state).toString());
  const out: Record<string, Record<string, unknown>> = {};
  for (const { module, mode, type, name, instances: list } of resources) {
    for (const item of list) {
      const key = item.index_key === undefined ? "" : `[${JSON.stringify(item.index_key)}]`;
      out[`${module ? `${module}.` : ""}${mode === "data" ? "data." : ""}${type}.${name}${key}`] = item;
    }
  }
  return out;
}

function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** Ids differ in each run. */
function normalized(graph: unknown): unknown {
  const text = JSON.stringify(graph)
    .replace(/"[0-9a-f]{8}-[0-9a-f]{4}-[1-5][0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}"/g, '"<id>"')
    .replaceAll('"<random uuid>"', '"<id>"');
  return JSON.parse(text);
}

function graphJson(graph: GraphComplete | undefined): Record<string, unknown> {
  const json = graph ? Object(toJson(GraphCompleteSchema, graph, { useProtoFieldName: true })) : {};
  const lists = ["resources", "parameters", "presets", "external_auth_providers", "ai_tasks"];
  const out: Record<string, unknown> = {};
  for (const name of lists) out[name] = json[name] ?? [];
  for (const name of ["has_ai_tasks", "has_external_agents"]) out[name] = json[name] ?? false;
  return out;
}

function templateFiles(dir: string): Record<string, string> {
  const out: Record<string, string> = {};
  const walk = (at: string): void => {
    for (const name of readdirSync(at)) {
      const full = join(at, name);
      if (statSync(full).isDirectory()) walk(full);
      else if (/\.tf$|\.tftpl$/.test(name)) out[relative(dir, full)] = readFileSync(full, "utf8");
    }
  };
  walk(dir);
  return out;
}

describe("recorded templates", () => {
  it("become the resources that Terraform makes of them", async (t) => {
    const root = referencePath(t, "terraform");
    if (!root) return;
    let compared = 0;
    for (const name of readdirSync(root)) {
      const dir = join(root, name);
      if (!existsSync(join(dir, "expected.json")) || !supports(dir).ok) continue;
      const expected = JSON.parse(readFileSync(join(dir, "expected.json"), "utf8"));
      if (expected.stock_limit || !expected.plan) continue;
      // Recorded with a stand-in for Docker, which here would be a real one.
      if (/"docker_/.test(readFileSync(join(dir, "main.tf"), "utf8"))) continue;
      let state: Uint8Array | undefined;
      let made: Build | undefined;
      for (const step of expected.steps) {
        const transition = step.env?.CODER_WORKSPACE_TRANSITION ?? "start";
        made = await build(t, {
          files: templateFiles(dir),
          transition,
          variables: step.vars ?? {},
          planOnly: !step.apply,
          ...(state ? { state } : {}),
        });
        state = stateOf(made);
      }
      if (expected.plan.result.error !== undefined) {
        assert.notEqual(made?.error, "", `${name}: must fail`);
        continue;
      }
      compared += 1;
      assert.equal(made?.error, "", `${name}: ${made?.logs.map(({ output }) => output).join("\n")}`);
      assert.deepEqual(
        normalized(graphJson(made?.planned)),
        normalized(expected.plan.result),
        `${name}: plan`,
      );
      if (expected.state) {
        assert.deepEqual(
          normalized(graphJson(made?.graph)),
          normalized(expected.state.result),
          `${name}: state`,
        );
      }
    }
    assert.ok(compared > 5, `only ${compared} recorded templates are known to the engine`);
  });
});

describe("builds", () => {
  const counted = `
data "coder_workspace" "me" {}
resource "coder_agent" "main" {
  os   = "linux"
  arch = "amd64"
}
resource "terraform_data" "home" {
  input = data.coder_workspace.me.id
}
resource "terraform_data" "machine" {
  count            = data.coder_workspace.me.start_count
  triggers_replace = [coder_agent.main.token]
  input            = { home = terraform_data.home.output }
}
`;

  it("start, start again, stop and delete", async (t) => {
    const files = { "main.tf": counted };
    const first = ok(await build(t, { files }));
    const one = instances(stateOf(first));
    assert.deepEqual(Object.keys(one).sort(), [
      "coder_agent.main",
      "data.coder_workspace.me",
      "terraform_data.home",
      "terraform_data.machine[0]",
    ]);
    assert.deepEqual(one["terraform_data.machine[0]"]?.["dependencies"], [
      "coder_agent.main",
      "data.coder_workspace.me",
      "terraform_data.home",
    ]);
    assert.equal(first.graph?.resources.find(({ name }) => name === "machine")?.agents[0]?.name, "main");

    const again = ok(await build(t, { files, state: stateOf(first) }));
    const two = instances(stateOf(again));
    assert.notDeepEqual(two["coder_agent.main"], one["coder_agent.main"], "a new token at each start");
    assert.deepEqual(two["terraform_data.home"], one["terraform_data.home"], "the home stays");
    const lines = again.logs.map(({ output }) => output);
    assert.ok(lines.includes("Plan: 1 to add, 0 to change, 1 to destroy."), lines.join("\n"));

    const stopped = ok(await build(t, { files, state: stateOf(again), transition: "stop" }));
    assert.equal(instances(stateOf(stopped))["terraform_data.machine[0]"], undefined);

    const deleted = ok(await build(t, { files, state: stateOf(stopped), transition: "destroy" }));
    const end = JSON.parse(Buffer.from(stateOf(deleted)).toString());
    assert.deepEqual(end.resources, []);
    assert.equal(end.lineage, JSON.parse(Buffer.from(stateOf(first)).toString()).lineage);
    assert.ok(end.serial > 3);
  });

  it("runs provisioners in order, with self at the end", async (t) => {
    const dir = await tempDir(t);
    const log = join(dir, "log");
    const files = {
      "main.tf": `
resource "terraform_data" "a" {
  input = "${log}"
  provisioner "local-exec" {
    command     = "echo made $WHO >> ${log}; echo shown; env | grep CODER_ >> ${log}.env"
    environment = { WHO = "a" }
  }
  provisioner "local-exec" {
    when    = destroy
    command = "echo gone >> \${self.output}"
  }
}
resource "terraform_data" "b" {
  depends_on = [terraform_data.a]
  input      = "${log}"
  provisioner "local-exec" {
    command = "echo made b >> ${log}"
  }
  provisioner "local-exec" {
    when    = destroy
    command = "echo b gone >> \${self.output}"
  }
}
`,
    };
    const first = ok(await build(t, { files }));
    assert.ok(first.logs.some(({ output }) => output === "terraform_data.a (local-exec): shown"));
    ok(await build(t, { files, state: stateOf(first), transition: "destroy" }));
    assert.deepEqual(readFileSync(log, "utf8").trim().split("\n"), ["made a", "made b", "b gone", "gone"]);
    const env = readFileSync(`${log}.env`, "utf8");
    assert.match(env, /CODER_WORKSPACE_NAME=wren/);
    assert.match(env, /CODER_LOCAL_AGENT=yes/);
    assert.doesNotMatch(env, /CODER_SECRET|TOKEN/);
  });

  it("keeps what was made when a later step fails, and makes the tainted one anew", async (t) => {
    const failing = `
resource "random_pet" "name" {}
resource "terraform_data" "bad" {
  input = random_pet.name.id
  provisioner "local-exec" {
    command = "echo about to fail; exit 3"
  }
}
resource "terraform_data" "after" {
  depends_on = [terraform_data.bad]
}
`;
    const first = await build(t, { files: { "main.tf": failing } });
    assert.match(
      first.error,
      /terraform_data\.bad: local-exec provisioner error: exit status 3 \(main\.tf line 5\)/,
    );
    const kept = instances(stateOf(first));
    assert.deepEqual(Object.keys(kept).sort(), ["random_pet.name", "terraform_data.bad"]);
    assert.equal(kept["terraform_data.bad"]?.["status"], "tainted");
    const second = ok(
      await build(t, { files: { "main.tf": failing.replace("exit 3", "true") }, state: stateOf(first) }),
    );
    assert.equal(instances(stateOf(second))["terraform_data.bad"]?.["status"], undefined);
    assert.deepEqual(instances(stateOf(second))["random_pet.name"], kept["random_pet.name"]);
  });

  it("kills the whole group of a command when cancelled, and keeps the state", async (t) => {
    const dir = await tempDir(t);
    const cancel = new AbortController();
    const files = {
      "main.tf": `resource "terraform_data" "slow" {
  provisioner "local-exec" {
    command = "sleep 300 & echo $! > ${dir}/pid; echo ready; wait"
  }
}
`,
    };
    const began = realClock.monotonic();
    const made = await build(t, {
      files,
      canceled: cancel.signal,
      onLine: (line) => line.endsWith(": ready") && cancel.abort(),
    });
    assert.match(made.error, /canceled/);
    assert.ok(realClock.monotonic() - began < 20_000);
    assert.equal(instances(stateOf(made))["terraform_data.slow"]?.["status"], "tainted");
    const pid = Number(readFileSync(join(dir, "pid"), "utf8"));
    await eventually("the child is gone", () => !alive(pid));
  });

  it("is not held up by what a command leaves in the background", async (t) => {
    const files = {
      "main.tf": `resource "terraform_data" "bg" {
  provisioner "local-exec" {
    command = "sleep 30 & echo started $!"
  }
}
`,
    };
    const began = realClock.monotonic();
    const made = ok(await build(t, { files }));
    assert.ok(realClock.monotonic() - began < 10_000);
    const line = made.logs.find(({ output }) => /: started \d+$/.test(output))?.output ?? "";
    process.kill(Number(/started (\d+)/.exec(line)?.[1]), "SIGKILL");
  });

  it("renames x to x[0] when a count comes, and replaces create-first where asked", async (t) => {
    const plain = 'resource "random_id" "x" {\n  byte_length = 4\n}\n';
    const first = ok(await build(t, { files: { "main.tf": plain } }));
    const second = ok(
      await build(t, {
        files: { "main.tf": plain.replace("{\n", "{\n  count = 1\n") },
        state: stateOf(first),
      }),
    );
    const [one, two] = [instances(stateOf(first)), instances(stateOf(second))];
    assert.deepEqual(Object.keys(two), ["random_id.x[0]"]);
    assert.equal(
      Object(two["random_id.x[0]"]?.["attributes"]).hex,
      Object(one["random_id.x"]?.["attributes"]).hex,
    );
    const third = ok(
      await build(t, {
        files: {
          "main.tf": plain
            .replace("4", "8")
            .replace("{\n", "{\n  count = 1\n  lifecycle {\n    create_before_destroy = true\n  }\n"),
        },
        state: stateOf(second),
      }),
    );
    assert.equal(Object(instances(stateOf(third))["random_id.x[0]"]?.["attributes"]).byte_length, 8);
    const order = third.logs.map(({ output }) => output).filter((line) => /Creating|Destroying/.test(line));
    assert.match(order[0] ?? "", /Creating/);
  });

  it("evaluates modules, for_each, dynamic blocks and deferred data", async (t) => {
    const files = {
      "main.tf": `
module "tool" {
  source   = "./tool"
  for_each = { a = 1, b = 2 }
  n        = each.value
}
resource "coder_agent" "main" {
  os   = "linux"
  arch = "amd64"
  dynamic "metadata" {
    for_each = ["x", "y"]
    content {
      key      = metadata.value
      script   = "echo \${metadata.key}"
      interval = 5
    }
  }
}
resource "terraform_data" "host" {
  input = coder_agent.main.id
}
output "all" {
  value = { for k, m in module.tool : k => m.id }
}
`,
      "tool/main.tf": `
variable "n" {
  type = number
}
resource "random_string" "s" {
  length  = var.n + 3
  special = false
}
output "id" {
  value = "\${var.n}-\${random_string.s.result}"
}
`,
    };
    const made = ok(await build(t, { files }));
    const state = JSON.parse(Buffer.from(stateOf(made)).toString());
    assert.match(state.outputs.all.value.b, /^2-[A-Za-z0-9]{5}$/);
    assert.ok(instances(stateOf(made))['module.tool["a"].random_string.s']);
    const agent = made.graph?.resources.find(({ name }) => name === "host")?.agents[0];
    assert.deepEqual(
      agent?.metadata.map(({ key, script }) => [key, script]),
      [
        ["x", "echo 0"],
        ["y", "echo 1"],
      ],
    );
  });
});

describe("mistakes", () => {
  const bad: readonly (readonly [string, string, RegExp])[] = [
    [
      "an unknown attribute",
      'resource "coder_agent" "a" {\n  os = "linux"\n  arch = "amd64"\n  nope = 1\n}\n',
      /main\.tf line 4: Unsupported argument/,
    ],
    [
      "a missing argument",
      'resource "coder_agent" "a" {\n  os = "linux"\n}\n',
      /main\.tf line 1: Missing required argument.*"arch"/,
    ],
    ["a wrong value", 'resource "coder_agent" "a" {\n  os = "beos"\n  arch = "amd64"\n}\n', /beos/],
    [
      "a reference to nothing",
      'resource "terraform_data" "a" {\n  input = coder_agent.none.id\n}\n',
      /undeclared resource/,
    ],
    [
      "a cycle",
      'resource "terraform_data" "a" {\n  input = terraform_data.b.id\n}\nresource "terraform_data" "b" {\n  input = terraform_data.a.id\n}\n',
      /Cycle/,
    ],
    ["a variable without a value", 'variable "x" {}\n', /No value for required variable/],
    [
      "a count that is not known",
      'resource "terraform_data" "a" {}\nresource "terraform_data" "b" {\n  count = length(terraform_data.a.id)\n}\n',
      /Invalid count/,
    ],
    ["a count of a million", 'resource "terraform_data" "b" {\n  count = 1000000\n}\n', /at most/],
    [
      "a variable's validation",
      'variable "x" {\n  default = 1\n  validation {\n    condition = var.x > 5\n    error_message = "too small"\n  }\n}\n',
      /too small/,
    ],
  ];
  for (const [what, text, want] of bad) {
    it(`names file and line of ${what}`, async (t) => {
      const made = await build(t, { files: { "main.tf": text }, planOnly: true });
      assert.match(made.error, want);
    });
  }

  it("refuses to replace what prevent_destroy guards", async (t) => {
    const guarded =
      'resource "random_id" "x" {\n  byte_length = 2\n  lifecycle {\n    prevent_destroy = true\n  }\n}\n';
    const first = ok(await build(t, { files: { "main.tf": guarded } }));
    const second = await build(t, { files: { "main.tf": guarded.replace("2", "3") }, state: stateOf(first) });
    assert.match(second.error, /random_id\.x.*cannot be destroyed/);
  });

  it("names what only Terraform can do", async (t) => {
    const dir = await tempDir(t);
    const made = await runBuild(engine, dir, {
      files: {
        "main.tf":
          'module "far" {\n  source = "registry.coder.com/modules/x/coder"\n}\nresource "aws_instance" "c" {\n  name = "x"\n}\nresource "terraform_data" "x" {\n  lifecycle {\n    precondition {\n      condition     = true\n      error_message = "x"\n    }\n  }\n}\n',
      },
    });
    assert.match(
      made.error,
      /main\.tf line 1: module .*main\.tf line 4: resource type aws_instance; main\.tf line 9: precondition blocks/,
    );
    const foreign = {
      version: 4,
      serial: 1,
      lineage: "x",
      outputs: {},
      resources: [
        {
          mode: "managed",
          type: "aws_instance",
          name: "c",
          provider: "p",
          instances: [{ attributes: {} }],
        },
      ],
    };
    const state = Buffer.from(JSON.stringify(foreign));
    const refused = await build(t, { files: { "main.tf": "" }, state });
    assert.match(refused.error, /aws_instance\.c, which only Terraform can manage/);
    assert.match(
      (await build(t, { files: { "main.tf": "" }, state: Buffer.from("{") })).error,
      /state is not JSON/,
    );
  });
});

import assert from "node:assert/strict";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { findTerraform } from "#provisioner/terraform/locate.ts";
import { runBuild } from "#provisioner/native/nativetest/session.ts";
import { tempDir } from "#testutil/testutil.ts";
import { compareEngines, enginePair, firstDifference } from "./diff-engines.ts";

async function hasTerraform(t: TestContext): Promise<boolean> {
  const found = await findTerraform({ setting: "", path: process.env["PATH"] ?? "" }).catch(() => undefined);
  if (found === undefined) t.skip("Terraform is not on PATH: the engines cannot be compared");
  return found !== undefined;
}

/** What templates are made of: count, keys, dynamic blocks, functions, locals, a module, provisioners, outputs. */
const files = {
  "main.tf": `
terraform {
  required_providers {
    coder = { source = "coder/coder" }
  }
}
locals {
  names = toset([for name in ["b", "a", "c"] : upper(name) if name != "c"])
  items = { size = format("%03d", 7), secret = sensitive("s3cr3t") }
}
data "coder_workspace" "me" {}
resource "coder_agent" "main" {
  os   = "linux"
  arch = "amd64"
  env  = { JSON = jsonencode({ list = [1, 2.5, null, true] }) }
  dynamic "metadata" {
    for_each = ["one", "two"]
    content {
      key      = metadata.value
      script   = "echo \${metadata.key}"
      interval = 5 + metadata.key
    }
  }
  display_apps {
    vscode = false
  }
}
resource "coder_app" "each" {
  for_each = local.names
  agent_id = coder_agent.main.id
  slug     = lower(each.key)
  order    = length(local.names)
}
resource "terraform_data" "box" {
  count            = data.coder_workspace.me.start_count
  input            = { agent = coder_agent.main.id, list = [1, "two"] }
  triggers_replace = [coder_agent.main.token]
  provisioner "local-exec" {
    command = "echo made \${self.id} > /dev/null"
  }
  provisioner "local-exec" {
    when    = destroy
    command = "echo gone > /dev/null"
  }
}
resource "coder_metadata" "box" {
  count       = data.coder_workspace.me.start_count
  resource_id = terraform_data.box[0].id
  daily_cost  = 3
  dynamic "item" {
    for_each = nonsensitive(keys(local.items))
    content {
      key       = item.value
      value     = local.items[item.value]
      sensitive = item.value == "secret"
    }
  }
}
module "tool" {
  source   = "./tool"
  agent_id = coder_agent.main.id
}
output "slugs" {
  value = sort([for app in coder_app.each : app.slug])
}
`,
  "tool/main.tf": `
terraform {
  required_providers {
    coder = { source = "coder/coder" }
  }
}
variable "agent_id" {}
resource "coder_env" "list" {
  count    = 2
  agent_id = var.agent_id
  name     = "TOOL_\${count.index}"
  value    = try(tostring(null), "x") == null ? "none" : "some"
}
`,
};

test("both engines make the same of one template, through start, start, stop and delete", async (t) => {
  if (!(await hasTerraform(t))) return;
  const differences = await compareEngines(enginePair(join(await tempDir(t), "cache")), files);
  assert.deepEqual(
    differences.map(
      ({ step, what, native, terraform }) => `${step} ${what}${firstDifference(native, terraform)}`,
    ),
    [],
  );
});

test("a workspace changes engines with each build and keeps its resources", async (t) => {
  if (!(await hasTerraform(t))) return;
  const dir = await tempDir(t);
  const { native, terraform } = enginePair(join(dir, "cache"));
  let state: Uint8Array = new Uint8Array();
  const ids: string[] = [];
  const builds = [
    [native, "start"],
    [terraform, "stop"],
    [native, "start"],
    [terraform, "start"],
    [native, "destroy"],
  ] as const;
  for (const [i, [engine, transition]] of builds.entries()) {
    const build = await runBuild(engine, join(dir, String(i)), { files, transition, state });
    assert.equal(build.error, "", build.logs.map(({ output }) => output).join("\n"));
    state = build.apply?.state ?? new Uint8Array();
    const agents = build.graph?.resources.flatMap((resource) => resource.agents) ?? [];
    ids.push(...agents.map(({ id }) => id));
  }
  assert.equal(ids.length, 3);
  assert.equal(new Set(ids).size, 1, "the agent was made anew");
  assert.deepEqual(JSON.parse(Buffer.from(state).toString()).resources, []);
});

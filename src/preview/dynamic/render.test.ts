import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { realClock } from "#quartz/clock.ts";
import { cryptoRand } from "#cryptorand/cryptorand.ts";
import { tempDir } from "#testutil/testutil.ts";
import { type Rendered, render, type RenderInput } from "./render.ts";

async function form(
  t: TestContext,
  files: Readonly<Record<string, string>>,
  more: Partial<RenderInput> = {},
): Promise<Rendered> {
  const dir = await tempDir(t);
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(dir, name)), { recursive: true });
    writeFileSync(join(dir, name), text);
  }
  return render({
    dir,
    clock: realClock,
    rand: cryptoRand,
    owner: {
      id: "o",
      name: "mira",
      full_name: "Mira",
      email: "m@example.test",
      ssh_public_key: "",
      groups: ["Everyone", "gpu"],
      login_type: "password",
      rbac_roles: [],
    },
    values: {},
    ...more,
  });
}

const choice = `
data "coder_workspace_owner" "me" {}
data "coder_parameter" "gpu" {
  count   = contains(data.coder_workspace_owner.me.groups, "gpu") ? 1 : 0
  name    = "gpu"
  type    = "bool"
  default = false
}
data "coder_parameter" "memory" {
  count   = try(data.coder_parameter.gpu[0].value, false) == "true" ? 1 : 0
  name    = "memory"
  type    = "number"
  default = 8
  validation {
    min = 4
    max = 64
  }
}
data "coder_workspace_tags" "t" {
  tags = {
    "gpu"  = try(data.coder_parameter.gpu[0].value, "false")
    "zone" = "a"
  }
}
`;

describe("render()", () => {
  it("shows what depends on the owner and on other inputs", async (t) => {
    const plain = await form(t, { "main.tf": choice });
    assert.deepEqual(
      plain.parameters.map(({ name }) => name),
      ["gpu"],
    );
    assert.deepEqual(plain.workspace_tags[0]?.valid, { gpu: "false", zone: "a" });
    const chosen = await form(t, { "main.tf": choice }, { values: { gpu: "true", memory: "128" } });
    assert.deepEqual(
      chosen.parameters.map(({ name }) => name),
      ["gpu", "memory"],
    );
    assert.match(chosen.parameters[1]?.diagnostics[0]?.detail ?? "", /128/);
    assert.deepEqual(chosen.workspace_tags[0]?.valid, { gpu: "true", zone: "a" });
  });

  it("names file and line of a syntax error, and shows the rest", async (t) => {
    const broken = await form(t, {
      "a.tf": 'data "coder_parameter" "x" {\n  name = "x\n}\n',
      "b.tf": 'data "coder_parameter" "y" {\n  name = "y"\n  default = "1"\n}\n',
    });
    assert.match(broken.diagnostics[0]?.detail ?? "", /^a\.tf:2,/);
    assert.deepEqual(
      broken.parameters.map(({ name }) => name),
      ["y"],
    );
  });

  it("survives templates that loop, explode or reach outside", async (t) => {
    const hostile = await form(t, {
      "main.tf": `
locals {
  a = local.b
  b = local.a
  big = [for x in range(1000) : [for y in range(1000) : [for z in range(1000) : z]]]
}
module "up" {
  source = "../../.."
}
data "coder_parameter" "loop" {
  name    = "loop"
  default = local.a
}
data "coder_parameter" "big" {
  name    = "big"
  default = length(local.big)
}
data "coder_parameter" "many" {
  count   = 100000000
  name    = "many-\${count.index}"
  default = file("/etc/passwd")
}
`,
    });
    assert.deepEqual(
      hostile.parameters
        .filter(({ name }) => name !== "many-0")
        .map(({ name, value }) => [name, value.valid]),
      [
        ["big", false],
        ["loop", false],
      ],
    );
    assert.ok(hostile.diagnostics.some(({ extra }) => extra.code === "module_not_loaded"));
  });

  it("draws 70 resources again in a few milliseconds", async (t) => {
    const resources = Array.from(
      { length: 70 },
      (_none, at) =>
        `resource "docker_volume" "v${at}" {\n  name = "v-\${data.coder_parameter.p.value}-${at}"\n}\n`,
    );
    const files = {
      "main.tf": `data "coder_parameter" "p" {\n  name = "p"\n  default = "x"\n}\n${resources.join("")}`,
    };
    const began = realClock.monotonic();
    await form(t, files, { values: { p: "y" } });
    t.diagnostic(`load and render: ${(realClock.monotonic() - began).toFixed(1)} ms`);
  });
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { cryptoRand } from "#cryptorand/cryptorand.ts";
import { renderForm } from "#preview/dynamic/render.ts";
import { loadModule } from "#preview/module/load.ts";
import { realClock } from "#quartz/clock.ts";
import { tempDir } from "#testutil/testutil.ts";
import { Invalid } from "../errors.ts";
import { supportsForms } from "./loaded.ts";
import { nobody } from "./owner.ts";
import { type DynamicSources, resolveDynamic, type Values } from "./resolve.ts";
import { templateTags } from "./tags.ts";

const template = `
data "coder_parameter" "size" {
  name    = "size"
  type    = "number"
  mutable = true
  default = 2
  validation {
    min       = 1
    max       = 9
    monotonic = "increasing"
  }
}
data "coder_parameter" "zone" {
  name = "zone"
}
data "coder_parameter" "gpu" {
  count   = tonumber(data.coder_parameter.size.value) > 4 ? 1 : 0
  name    = "gpu"
  mutable = true
  default = "small"
}
data "coder_parameter" "once" {
  name      = "once"
  mutable   = true
  ephemeral = true
  default   = "no"
}
data "coder_workspace_tags" "tags" {
  tags = {
    zone = data.coder_parameter.zone.value
  }
}
`;

async function formOf(t: Parameters<typeof tempDir>[0], text: string): Promise<DynamicSources["render"]> {
  const dir = await tempDir(t);
  mkdirSync(dir, { recursive: true });
  writeFileSync(join(dir, "main.tf"), text);
  const root = loadModule(dir);
  return (values: Values) =>
    renderForm({ dir: root.dir, clock: realClock, rand: cryptoRand, owner: nobody, values }, root);
}

const pairs = (values: Values) => Object.entries(values).map(([name, value]) => ({ name, value }));

const resolve = (
  render: DynamicSources["render"],
  sources: { previous?: Values; request?: Values; preset?: Values; firstBuild?: boolean },
) => {
  const { values, form } = resolveDynamic({
    render,
    firstBuild: sources.firstBuild ?? sources.previous === undefined,
    previous: pairs(sources.previous ?? {}),
    request: pairs(sources.request ?? {}),
    preset: pairs(sources.preset ?? {}),
  });
  return { values: Object.fromEntries(values.map(({ name, value }) => [name, value])), form };
};

const refused = (field: string, detail: RegExp) => (error: unknown) => {
  assert.ok(error instanceof Invalid);
  const found = error.validations.filter((one) => one.field === field);
  assert.match(found.map((one) => one.detail).join("\n"), detail);
  return true;
};

test("defaults are stored, the preset wins over the request, unknown names are dropped", async (t) => {
  const render = await formOf(t, template);
  const { values, form } = resolve(render, {
    request: { zone: "eu", size: "3", other: "x" },
    preset: { size: "4" },
  });
  assert.deepEqual(values, { size: "4", zone: "eu", once: "no" });
  assert.deepEqual(templateTags(form.workspace_tags, "tags"), { zone: "eu" });
});

test("a parameter that others bring about is there only then", async (t) => {
  const render = await formOf(t, template);
  assert.equal(resolve(render, { request: { zone: "eu", size: "5" } }).values["gpu"], "small");
  assert.equal(resolve(render, { request: { zone: "eu", gpu: "large" } }).values["gpu"], undefined);
});

test("what is missing, wrong, immutable or runs backwards is refused by name", async (t) => {
  const render = await formOf(t, template);
  assert.throws(() => resolve(render, {}), refused("zone", /./));
  assert.throws(() => resolve(render, { request: { zone: "eu", size: "12" } }), refused("size", /12|9/));
  const previous = { zone: "eu", size: "5", gpu: "small", once: "no" };
  assert.throws(() => resolve(render, { previous, request: { zone: "us" } }), refused("zone", /Immutable/));
  assert.throws(() => resolve(render, { previous, request: { size: "4" } }), refused("size", /monotonicity/));
  assert.equal(resolve(render, { previous, request: { size: "6" } }).values["size"], "6");
});

test("an ephemeral value is of one build only", async (t) => {
  const render = await formOf(t, template);
  const first = resolve(render, { request: { zone: "eu", once: "yes" } }).values;
  assert.equal(first["once"], "yes");
  assert.equal(resolve(render, { previous: first }).values["once"], "no");
  assert.equal(resolve(render, { previous: first, request: { once: "yes" } }).values["once"], "yes");
});

test("tags that cannot be used are named; the server's own cannot be set", async (t) => {
  const render = await formOf(
    t,
    `data "coder_workspace_tags" "t" { tags = { scope = "user", cpu = data.coder_workspace.me.id } }`,
  );
  const { form } = resolve(render, {});
  assert.throws(
    () => templateTags(form.workspace_tags, "tags"),
    (error) => refused("scope", /server/)(error) && refused("cpu", /./)(error),
  );
});

test("forms need an import by a daemon that stored what they read", () => {
  assert.ok(supportsForms("1.6"));
  assert.ok(supportsForms("1.17"));
  assert.ok(supportsForms("2.0"));
  assert.ok(!supportsForms("1.5"));
  assert.ok(!supportsForms(""));
  assert.ok(!supportsForms("new"));
});

import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { seededRand } from "#cryptorand/seeded.ts";
import { referencePath } from "#testutil/testutil.ts";
import { isAttributes, stringOf } from "./define.ts";
import {
  configure,
  createResource,
  dataTypes,
  planResource,
  readData,
  readResource,
  resourceTypes,
  upgradeState,
  validateData,
  validateResource,
} from "./provider.ts";
import { unknown, type Attributes, type BlockSchema, type Json, type ProviderContext } from "./types.ts";

const ctx: ProviderContext = {
  env: {},
  url: "https://coder.example.test/base",
  rand: seededRand("provider"),
  os: "linux",
  arch: "arm",
};

/** Fills what a configuration leaves out, as engines do. */
function shaped(block: BlockSchema, given: Attributes): Attributes {
  const out: Record<string, Json> = {};
  for (const name of Object.keys(block.attributes)) out[name] = given[name] ?? null;
  for (const [name, def] of Object.entries(block.blocks)) {
    const value = given[name] ?? [];
    out[name] = Array.isArray(value)
      ? value.map((item: Json) => (isAttributes(item) ? shaped(def.block, item) : item))
      : value;
  }
  return out;
}

function resource(type: string, given: Attributes): Attributes {
  const def = resourceTypes[type];
  assert.ok(def, type);
  return shaped(def.block, given);
}

function data(type: string, given: Attributes = {}): Attributes {
  const def = dataTypes[type];
  assert.ok(def, type);
  return shaped(def.block, given);
}

const agentConfig = resource("coder_agent", { os: "linux", arch: "amd64" });

test("a new agent: defaults are planned, the rest is known after apply", () => {
  const { planned, requiresReplace } = planResource("coder_agent", { config: agentConfig, prior: null });
  assert.deepEqual(requiresReplace, []);
  assert.equal(planned["auth"], "token");
  assert.equal(planned["connection_timeout"], 120);
  assert.equal(planned["token"], unknown);
  assert.equal(planned["display_apps"], unknown);
  assert.deepEqual(planned["metadata"], []);
  assert.equal(planned["order"], null);
});

test("an agent's token is new with each read, unless the build passes one on; its script is filled", () => {
  const { planned } = planResource("coder_agent", { config: agentConfig, prior: null });
  const env = { CODER_AGENT_SCRIPT_linux_amd64: "run ${ACCESS_URL} $& ${AUTH_TYPE}" };
  const { state } = createResource("coder_agent", { planned }, { ...ctx, env });
  assert.equal(state["init_script"], "run https://coder.example.test/ $& token");
  assert.deepEqual(state["display_apps"], [
    {
      vscode: true,
      vscode_insiders: false,
      web_terminal: true,
      ssh_helper: true,
      port_forwarding_helper: true,
    },
  ]);
  const again = readResource("coder_agent", state, { ...ctx, env });
  assert.notEqual(again["token"], state["token"]);
  assert.equal(again["id"], state["id"]);
  const name =
    "CODER_RUNNING_WORKSPACE_AGENT_TOKEN_e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
  assert.equal(readResource("coder_agent", state, { ...ctx, env: { [name]: "kept" } })["token"], "kept");
});

test("nothing changes where the configuration is as before; any change replaces", () => {
  const config = resource("coder_agent", {
    os: "linux",
    arch: "amd64",
    metadata: [{ key: "k", script: "s", interval: 1 }],
    resources_monitoring: [
      {
        volume: [
          { path: "/a", enabled: true, threshold: 1 },
          { path: "/b", enabled: true, threshold: 2 },
        ],
      },
    ],
  });
  const { state } = createResource("coder_agent", planResource("coder_agent", { config, prior: null }), ctx);
  assert.deepEqual(state["metadata"], [
    { key: "k", script: "s", interval: 1, display_name: "", timeout: 0, order: 0 },
  ]);
  assert.deepEqual(planResource("coder_agent", { config, prior: state }).planned, state);
  const reordered = resource("coder_agent", {
    ...config,
    resources_monitoring: [
      {
        volume: [
          { path: "/b", enabled: true, threshold: 2 },
          { path: "/a", enabled: true, threshold: 1 },
        ],
      },
    ],
  });
  assert.deepEqual(planResource("coder_agent", { config: reordered, prior: state }).requiresReplace, []);
  const changed = planResource("coder_agent", {
    config: { ...config, os: "darwin", metadata: [] },
    prior: state,
  });
  assert.deepEqual(changed.requiresReplace, [["os"], ["metadata"]]);
  assert.equal(changed.planned["token"], state["token"]);
});

test("a reference that is not known yet replaces", () => {
  const config = resource("coder_env", { agent_id: unknown, name: "A" });
  const prior: Attributes = { id: "1", agent_id: "old", name: "A", value: null, merge_strategy: "replace" };
  assert.deepEqual(planResource("coder_env", { config, prior }).requiresReplace, [["agent_id"]]);
});

test("metadata items without a value are marked", () => {
  const config = resource("coder_metadata", {
    resource_id: "r",
    item: [{ key: "a" }, { key: "b", value: "" }],
  });
  const { planned } = planResource("coder_metadata", { config, prior: null });
  assert.deepEqual(planned["item"], [
    { key: "a", value: null, sensitive: false, is_null: unknown },
    { key: "b", value: "", sensitive: false, is_null: unknown },
  ]);
  const { state } = createResource("coder_metadata", { planned }, ctx);
  assert.deepEqual(state["item"], [
    { key: "a", value: "", sensitive: false, is_null: true },
    { key: "b", value: "", sensitive: false, is_null: false },
  ]);
});

interface BadConfig {
  readonly type: string;
  readonly given: Attributes;
  /** Severity and place of each diagnostic. */
  readonly says: readonly string[];
}

const agentWith = (given: Attributes): Attributes => ({ os: "linux", arch: "amd64", ...given });
const appWith = (given: Attributes): Attributes => ({ agent_id: unknown, slug: "s", ...given });

const bad: readonly BadConfig[] = [
  { type: "coder_agent", given: { os: "beos", arch: unknown }, says: ["error os"] },
  { type: "coder_agent", given: agentWith({ connection_timeout: -1 }), says: ["error connection_timeout"] },
  { type: "coder_agent", given: agentWith({ order: 1.5 }), says: ["error order"] },
  { type: "coder_agent", given: agentWith({ dir: "$HOME" }), says: ["warning dir"] },
  {
    type: "coder_agent",
    given: agentWith({ dir: "/x" }),
    says: ["warning dir", "warning dir", "warning dir"],
  },
  {
    type: "coder_agent",
    given: agentWith({ resources_monitoring: [{ memory: [{ enabled: true, threshold: 101 }] }] }),
    says: ["error resources_monitoring"],
  },
  { type: "coder_app", given: appWith({ slug: "Bad_Slug" }), says: ["error slug"] },
  { type: "coder_app", given: appWith({ display_name: "é".repeat(33) }), says: ["error display_name"] },
  { type: "coder_app", given: appWith({ icon: "%zz" }), says: ["error icon"] },
  { type: "coder_app", given: appWith({ command: "x", url: "u" }), says: ["error command", "error url"] },
  { type: "coder_app", given: appWith({ command: "x", subdomain: unknown }), says: [] },
  { type: "coder_app", given: appWith({ external: true, share: "public" }), says: ["error external"] },
  {
    type: "coder_app",
    given: appWith({ command: "x", healthcheck: [{ url: "u", interval: 1, threshold: 1 }] }),
    says: ["error healthcheck"],
  },
  { type: "coder_script", given: { cron: "every day" }, says: ["error cron"] },
  { type: "coder_script", given: { cron: "5 4 * * *" }, says: ["warning cron"] },
  { type: "coder_script", given: { cron: "0 5 4 * * mon-fri" }, says: [] },
  { type: "coder_script", given: { cron: "@daily", timeout: 0 }, says: ["error timeout"] },
  { type: "coder_env", given: { name: "1X" }, says: ["error name"] },
  { type: "coder_ai_task", given: { app_id: "x" }, says: ["error app_id"] },
];

test("validateResource() says what is wrong, and where", () => {
  for (const { type, given, says } of bad) {
    const found = validateResource(type, resource(type, given));
    assert.deepEqual(
      found.map(({ severity, path = [] }) => `${severity} ${path.join(".")}`),
      says,
      `${type} ${JSON.stringify(found)}`,
    );
  }
});

test("validateData() reaches into lists and stops at sets", () => {
  const conflict = validateData(
    "coder_parameter",
    data("coder_parameter", { name: "p", validation: [{ regex: "1", min: 1 }] }),
  );
  assert.deepEqual(conflict[0]?.path, ["validation", 0, "regex"]);
  const preset = (prebuilds: Attributes): Attributes =>
    data("coder_workspace_preset", { name: "P", prebuilds: [prebuilds] });
  for (const prebuilds of [
    { instances: -1 },
    { instances: 1, expiration_policy: [{ ttl: 60 }] },
    {
      instances: 1,
      scheduling: [{ timezone: "Mars/Base", schedule: [{ cron: "* 1 * * *", instances: 1 }] }],
    },
    { instances: 1, scheduling: [{ timezone: "UTC", schedule: [{ cron: "* 99 * * *", instances: 1 }] }] },
    { instances: 1, scheduling: [{ timezone: "UTC", schedule: [{ cron: "5 1 * * *", instances: 1 }] }] },
  ] as const) {
    const found = validateData("coder_workspace_preset", preset(prebuilds));
    assert.deepEqual(
      found.map(({ path }) => path),
      [["prebuilds"]],
      JSON.stringify(prebuilds),
    );
  }
});

test("duplicate keys are found at plan, missing triggers and hidden apps at apply", () => {
  const item = { key: "k", script: "s", interval: 1 };
  const config = resource("coder_agent", agentWith({ metadata: [item, item] }));
  assert.equal(planResource("coder_agent", { config, prior: null }).diagnostics.length, 1);
  const script = resource("coder_script", {
    agent_id: "a",
    display_name: "d",
    script: "x",
    start_blocks_login: true,
  });
  const planned = planResource("coder_script", { config: script, prior: null });
  assert.equal(planned.diagnostics.length, 0);
  assert.equal(createResource("coder_script", planned, ctx).diagnostics.length, 2);
  const app = resource("coder_app", appWith({ hidden: true, display_name: "D", order: 1 }));
  const hidden = createResource("coder_app", planResource("coder_app", { config: app, prior: null }), ctx);
  assert.deepEqual(
    hidden.diagnostics.map(({ severity }) => severity),
    ["warning", "warning"],
  );
});

test("prebuild schedules must not overlap", () => {
  const read = (crons: readonly string[]): number =>
    readData(
      "coder_workspace_preset",
      data("coder_workspace_preset", {
        name: "P",
        prebuilds: [
          {
            instances: 1,
            scheduling: [{ timezone: "UTC", schedule: crons.map((cron) => ({ cron, instances: 1 })) }],
          },
        ],
      }),
      ctx,
    ).diagnostics.length;
  assert.equal(read(["* 8-18 * * 1-5", "* 17-20 * * 5"]), 1);
  assert.equal(read(["* 8-18 * * 1-5", "* 8-18 * * 6"]), 0);
  assert.equal(read(["* 8 1 * *", "* 8 2 * *"]), 0);
  assert.equal(read(["* 8 1 * 1", "* 8 2 * 1"]), 1);
  assert.equal(read(["* 8 * 1 *", "* 8 * 2 *"]), 0);
  assert.equal(read(["* */2 * * *", "* 8 * * *"]), 1);
  assert.equal(read(["* */2 * * *"]), 0);
});

test("the workspace as a template sees it", () => {
  const { state } = readData("coder_workspace", data("coder_workspace"), ctx);
  assert.equal(state["name"], "default");
  assert.equal(state["start_count"], 1);
  assert.equal(state["access_port"], 443);
  assert.equal(state["access_url"], ctx.url);
  const claimed = { CODER_WORKSPACE_IS_PREBUILD: "TRUE", CODER_WORKSPACE_IS_PREBUILD_CLAIM: "true" };
  const claim = readData("coder_workspace", data("coder_workspace"), { ...ctx, env: claimed });
  assert.equal(claim.state["prebuild_count"], 0);
  assert.equal(claim.state["is_prebuild_claim"], true);
  const build = readData("coder_workspace", data("coder_workspace"), {
    ...ctx,
    env: { CODER_WORKSPACE_BUILD_ID: "b" },
  });
  assert.equal(build.diagnostics.length, 1);
  assert.equal(readData("coder_provisioner", data("coder_provisioner"), ctx).state["arch"], "armv7");
});

test("the owner's lists come from JSON, bad JSON is an error", () => {
  const read = (env: Record<string, string>) =>
    readData("coder_workspace_owner", data("coder_workspace_owner"), { ...ctx, env });
  assert.equal(read({}).state["groups"], null);
  assert.equal(read({}).state["login_type"], null);
  assert.deepEqual(read({ CODER_WORKSPACE_OWNER_GROUPS: "null" }).state["groups"], []);
  assert.deepEqual(read({ CODER_WORKSPACE_OWNER_RBAC_ROLES: '[{"name":"owner"}]' }).state["rbac_roles"], [
    { name: "owner", org_id: "" },
  ]);
  for (const [name, value] of [
    ["GROUPS", "nope"],
    ["GROUPS", "[1]"],
    ["RBAC_ROLES", "{}"],
    ["RBAC_ROLES", '[{"name":1}]'],
  ] as const) {
    assert.equal(read({ [`CODER_WORKSPACE_OWNER_${name}`]: value }).diagnostics.length, 1, value);
  }
});

test("a parameter reads its value; without options the list is null", () => {
  const read = (given: Attributes, env: Record<string, string> = {}) =>
    readData("coder_parameter", data("coder_parameter", given), { ...ctx, env });
  const plain = read({ name: "p" });
  assert.equal(plain.state["value"], "");
  assert.equal(plain.state["optional"], false);
  assert.equal(plain.state["option"], null);
  assert.deepEqual(plain.state["validation"], []);
  assert.equal(plain.state["form_type"], "input");
  const variable = "CODER_PARAMETER_148de9c5a7a44d19e56cd9ae1a554bf67847afb0c58f6e12fa29ac7ddfca9940";
  assert.equal(read({ name: "p", default: "x" }, { [variable]: "" }).state["value"], "");
  assert.deepEqual(
    read({ name: "p", type: "number", default: "1", validation: [{ min: 1 }] }).state["validation"],
    [{ min: 1, max: 0, monotonic: "", regex: "", error: "", min_disabled: false, max_disabled: true }],
  );
  assert.equal(read({ name: "p", ephemeral: true, default: "x" }).diagnostics.length, 1);
  assert.equal(read({ name: "p", ephemeral: true, mutable: true }).diagnostics.length, 1);
  assert.deepEqual(read({ name: "p", form_type: "radio" }).diagnostics[0]?.path, ["form_type"]);
});

test("configure() takes the block, then the environment", () => {
  assert.equal(configure({ url: null }, { CODER_AGENT_URL: "http://a" }).url, "http://a");
  assert.equal(configure({ url: "http://b" }, { CODER_AGENT_URL: "http://a" }).url, "http://b");
  assert.equal(configure({ url: "" }, {}).diagnostics.length, 1);
  assert.equal(configure({ url: "http://a:b" }, {}).diagnostics.length, 1);
});

test("old states lose what is gone and get what is new", () => {
  const upgraded = upgradeState("coder_agent", {
    id: "1",
    os: "linux",
    connection_timeout: "120",
    gone: true,
  });
  assert.deepEqual(Object.keys(upgraded).sort(), Object.keys(agentConfig).sort());
  assert.equal(upgraded["connection_timeout"], 120);
  assert.equal(upgraded["gone"], undefined);
  assert.deepEqual(upgraded["metadata"], []);
});

test("names of Object's own are no types", () => {
  for (const type of ["toString", "__proto__", "coder_nothing"]) {
    assert.throws(() => validateResource(type, {}), /no resource type/);
    assert.throws(() => validateData(type, {}), /no data source type/);
  }
});

/** Every coder_* resource of the recorded states. */
function* recorded(
  root: string,
): Iterable<{ type: string; version: unknown; values: Attributes; where: string }> {
  function* walk(module: Json | undefined): Iterable<Attributes> {
    if (!isAttributes(module)) return;
    for (const child of Array.isArray(module["child_modules"]) ? module["child_modules"] : []) {
      yield* walk(child);
    }
    for (const item of Array.isArray(module["resources"]) ? module["resources"] : []) {
      if (isAttributes(item)) yield item;
    }
  }
  for (const name of readdirSync(root)) {
    const file = join(root, name, "input-state.json");
    if (!existsSync(file)) continue;
    const json: { values?: { root_module?: Json } } = JSON.parse(readFileSync(file, "utf8"));
    for (const item of walk(json.values?.root_module)) {
      const type = stringOf(item["type"]);
      if (item["mode"] !== "managed" || !type.startsWith("coder_") || !isAttributes(item["values"])) continue;
      yield {
        type,
        version: item["schema_version"],
        values: item["values"],
        where: `${name} ${stringOf(item["address"])}`,
      };
    }
  }
}

test("recorded states have our schema, and plan no change", (t) => {
  const root = referencePath(t, "terraform");
  if (root === undefined) return;
  let count = 0;
  for (const { type, version, values, where } of recorded(root)) {
    count += 1;
    assert.equal(version, resourceTypes[type]?.version, where);
    assert.deepEqual(upgradeState(type, values), values, where);
    assert.deepEqual(planResource(type, { config: values, prior: values }).requiresReplace, [], where);
  }
  assert.ok(count > 50, `${count} recorded resources`);
});

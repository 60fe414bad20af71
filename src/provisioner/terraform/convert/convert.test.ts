import assert from "node:assert/strict";
import { test } from "node:test";
import { seededRand } from "#cryptorand/seeded.ts";
import { convertPlan, convertState, type Converted } from "./convert.ts";
import { ConvertError } from "./decode.ts";

const rand = seededRand("convert");

interface Block {
  readonly address: string;
  readonly values?: Record<string, unknown>;
}

/** A resource from its address. */
function resource({ address, values = {} }: Block): Record<string, unknown> {
  const path = address.replaceAll(/\[[^\]]*\]/g, "").split(".");
  const [type = "", name = ""] = path.slice(-2);
  return { address, mode: path.includes("data") ? "data" : "managed", type, name, values };
}

function graphOf(labels: readonly string[], edges: readonly (readonly [string, string])[]): string {
  const nodes = labels.map((label) => `"[root] ${label} (expand)" [label = "${label}", shape = "box"]`);
  const arrows = edges.map(([from, to]) => `"[root] ${from} (expand)" -> "[root] ${to} (expand)"`);
  return ["digraph {", ...nodes, ...arrows, "}"].join("\n");
}

function stateOf(root: readonly Block[], modules: Readonly<Record<string, readonly Block[]>> = {}): unknown {
  const children = Object.values(modules).map((blocks) => ({ resources: blocks.map(resource) }));
  return { values: { root_module: { resources: root.map(resource), child_modules: children } } };
}

const agent = { id: "agent-1", auth: "token", token: "t", os: "linux", arch: "amd64" };

/** An agent on a terraform_data, and one block more that depends on the agent. */
function withBlock(type: string, values: Record<string, unknown>): Converted {
  return convertState({
    state: stateOf([
      { address: "coder_agent.main", values: agent },
      { address: "terraform_data.box" },
      { address: `${type}.extra`, values },
    ]),
    dot: graphOf(
      ["coder_agent.main", "terraform_data.box", `${type}.extra`],
      [
        ["terraform_data.box", "coder_agent.main"],
        [`${type}.extra`, "coder_agent.main"],
      ],
    ),
    rand,
  });
}

test("an empty state and an empty plan have nothing", () => {
  const nothing = convertState({ state: { format_version: "1.0" }, dot: "", rand });
  assert.deepEqual(nothing.resources, []);
  assert.equal(nothing.hasAiTasks, false);
  assert.deepEqual(convertPlan({ plan: {}, dot: "digraph {\n}\n", rand }).resources, []);
});

test("a value of the wrong type is an error that names block, attribute and type", () => {
  const cases: readonly (readonly [type: string, values: Record<string, unknown>, message: RegExp])[] = [
    ["coder_app", { slug: 5 }, /decode app attributes: slug must be a string: received number/],
    [
      "coder_app",
      { slug: "a", healthcheck: [{ url: [] }] },
      /app attributes: healthcheck\[0\]\.url .* received list/,
    ],
    ["coder_env", { name: true }, /decode env attributes: name must be a string: received boolean/],
    ["coder_script", { timeout: 1.5 }, /decode script attributes: timeout must be an integer/],
    ["coder_script", { timeout: 2 ** 31 }, /decode script attributes: timeout must be a 32-bit integer/],
    ["coder_devcontainer", { workspace_folder: {} }, /decode devcontainer attributes: workspace_folder/],
    ["coder_ai_task", { app_id: 1 }, /decode coder_ai_task attributes: app_id/],
    ["data.coder_parameter", { name: 1 }, /decode map values for coder_parameter\.extra: name/],
    [
      "data.coder_parameter",
      { form_type: "wheel" },
      /decode form_type for coder_parameter\.extra: .*"wheel"/,
    ],
    [
      "data.coder_workspace_preset",
      { prebuilds: {} },
      /decode preset attributes: prebuilds must be a list of blocks/,
    ],
    ["data.coder_external_auth", { id: null }, /data\.coder_external_auth\.extra must be a string/],
    ["coder_app", { slug: "Two--Hyphens" }, /app slug "Two--Hyphens"/],
  ];
  for (const [type, values, message] of cases) {
    assert.throws(
      () => withBlock(type, values),
      (error) => error instanceof ConvertError && message.test(error.message),
      `${type} ${JSON.stringify(values)}`,
    );
  }
});

test("JSON that is not Terraform's names what is wrong", () => {
  for (const [json, message] of [
    [[], /the state of Terraform's JSON must be an object: received list/],
    [{ values: { root_module: { resources: {} } } }, /resources of Terraform's JSON must be a list/],
    [
      { values: { root_module: { resources: [{ address: 1 }] } } },
      /address of Terraform's JSON must be a string/,
    ],
  ] as const) {
    assert.throws(() => convertState({ state: json, dot: "", rand }), message);
  }
  let deep: unknown = {};
  for (let i = 0; i < 200; i++) deep = { child_modules: [deep] };
  assert.throws(
    () => convertState({ state: { values: { root_module: deep } }, dot: "", rand }),
    /nested deeper/,
  );
});

test("agents in a counted module run on the resources of their own module instance", () => {
  const label = "module.unit.coder_agent.dev";
  const agents = convertState({
    state: stateOf([], {
      "module.unit[0]": [{ address: "module.unit[0].terraform_data.seat" }],
      "module.unit[1]": [
        { address: "module.unit[1].coder_agent.dev", values: agent },
        { address: "module.unit[1].terraform_data.seat" },
      ],
    }),
    dot: graphOf([label, "module.unit.terraform_data.seat"], [["module.unit.terraform_data.seat", label]]),
    rand,
  }).resources.map(({ modulePath, agents: found }) => [modulePath, found.map(({ id }) => id)]);
  assert.deepEqual(agents, [
    ["module.unit[0]", []],
    ["module.unit[1]", ["agent-1"]],
  ]);
});

test("an agent that the graph does not know fails", () => {
  const state = stateOf([{ address: "coder_agent.main", values: agent }]);
  assert.throws(
    () => convertState({ state, dot: "", rand }),
    /couldn't find node on graph: "coder_agent.main"/,
  );
});

test("an app without an id gets a made-up one; slug and name fall back to the block's name", () => {
  const app = withBlock("coder_app", { agent_id: "agent-1" }).resources[0]?.agents[0]?.apps[0];
  assert.match(app?.id ?? "", /^[0-9a-f-]{36}$/);
  assert.equal(app?.slug, "extra");
  assert.equal(app?.displayName, "extra");
});

test("presets with one name and unknown parameters are accepted with a warning", () => {
  const { presets, warnings } = convertState({
    state: stateOf([
      { address: "data.coder_workspace_preset.a", values: { name: "P", parameters: { gone: "1" } } },
      { address: "data.coder_workspace_preset.b", values: { name: "P" } },
    ]),
    dot: "",
    rand,
  });
  assert.equal(presets.length, 2);
  assert.equal(warnings.length, 2);
  assert.match(warnings.join("\n"), /"P" appears multiple times[^]*"gone"/);
});

test("bounds of states older than the disabled flags count unless both are zero", () => {
  const bounds = (validation: Record<string, unknown>): unknown[] => {
    const { parameters } = withBlock("data.coder_parameter", { name: "n", validation: [validation] });
    return [parameters[0]?.validationMin, parameters[0]?.validationMax];
  };
  assert.deepEqual(bounds({ min: 0, max: 0 }), [undefined, undefined]);
  assert.deepEqual(bounds({ min: 0, max: 3 }), [0, 3]);
  assert.deepEqual(bounds({ min: 0, max: 0, min_disabled: false, max_disabled: true }), [0, undefined]);
});

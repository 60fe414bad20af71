import assert from "node:assert/strict";
import { test } from "node:test";
import { stateJson } from "./state-json.ts";

function stateOf(resources: readonly unknown[]): Buffer {
  return Buffer.from(JSON.stringify({ version: 4, serial: 1, lineage: "l", outputs: {}, resources }));
}

test("instances become addresses in their modules, data first, deposed ones left out", () => {
  const json = stateJson(
    stateOf([
      {
        module: 'module.a["x.y"].module.b',
        mode: "managed",
        type: "t",
        name: "inner",
        instances: [{ attributes: { id: "1" } }],
      },
      {
        mode: "managed",
        type: "t",
        name: "many",
        instances: [
          { index_key: 0, attributes: { id: "0" } },
          { index_key: 1, attributes: { id: "old" }, deposed: "12345678" },
          { index_key: 'k"', attributes: { id: "k" }, status: "tainted" },
        ],
      },
      { mode: "data", type: "z", name: "d", instances: [{ attributes: {} }] },
    ]),
  );
  const many = { mode: "managed", type: "t", name: "many" };
  assert.deepEqual(json, {
    values: {
      root_module: {
        resources: [
          { address: "data.z.d", mode: "data", type: "z", name: "d", values: {} },
          { address: 't.many["k\\""]', ...many, values: { id: "k" } },
          { address: "t.many[0]", ...many, values: { id: "0" } },
        ],
        child_modules: [
          {
            address: 'module.a["x.y"]',
            resources: [],
            child_modules: [
              {
                address: 'module.a["x.y"].module.b',
                resources: [
                  {
                    address: 'module.a["x.y"].module.b.t.inner',
                    mode: "managed",
                    type: "t",
                    name: "inner",
                    values: { id: "1" },
                  },
                ],
                child_modules: [],
              },
            ],
          },
        ],
      },
    },
  });
});

test("what is no state of version 4 is refused", () => {
  for (const [bytes, message] of [
    [Buffer.from("{"), /no JSON/],
    [Buffer.from("[]"), /not of version 4/],
    [Buffer.from('{"version":3}'), /not of version 4/],
    [stateOf([{ mode: "managed", name: "x" }]), /has no type: received undefined/],
    [stateOf([{ mode: "managed", type: "t", name: "x", module: "nonsense" }]), /no address: "nonsense"/],
  ] as const) {
    assert.throws(() => stateJson(bytes), message);
  }
});

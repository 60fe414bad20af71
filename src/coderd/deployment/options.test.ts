import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { yamlKey } from "#serpent/option.ts";
import { resolve } from "#serpent/resolve.ts";
import { referencePath } from "#testutil/testutil.ts";
import { allServerOptions, serverOptions } from "./options.ts";

interface Recorded {
  readonly name: string;
  readonly flag?: string;
  readonly env?: string;
  readonly yaml?: string;
  readonly default?: string;
}

/** Ours alone. */
const added = new Set(["provisioner-engine"]);

describe("server options", () => {
  it("have the names, variables, keys and defaults of stock servers", (t) => {
    const path = referencePath(t, "server-options.json");
    if (!path) return;
    const recorded = JSON.parse(readFileSync(path, "utf8")) as { options: Recorded[] };
    const known = new Map(recorded.options.map((one) => [one.flag, one]));
    for (const one of allServerOptions) {
      if (added.has(one.flag ?? "")) continue;
      const stock = known.get(one.flag);
      assert.ok(stock, `no stock option has the flag ${one.flag}`);
      const ours = { name: one.name, env: one.env, yaml: yamlKey(one) };
      assert.deepEqual(ours, { name: stock.name, env: stock.env, yaml: stock.yaml });
      if (one.flag !== "cache-dir") assert.equal(one.default, stock.default, one.flag);
    }
  });

  it("resolve from an empty environment", () => {
    const values = resolve({ options: allServerOptions, env: {}, flags: [] });
    assert.equal(values.get(serverOptions.sessionDuration), 86_400_000);
    assert.equal(values.get(serverOptions.derpServerEnable), true);
    assert.equal(values.get(serverOptions.provisionerEngine), "auto");
  });
});

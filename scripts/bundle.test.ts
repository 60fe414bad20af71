import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { describe, it } from "node:test";
import { pathToFileURL } from "node:url";
import { repoRoot, tempDir } from "#testutil/testutil.ts";
import { bundle } from "./bundle.ts";

describe("bundle", () => {
  it("keeps places: a bundle elsewhere finds the files and native packages of its sources", async (t) => {
    const dir = await tempDir(t);
    const metafile = await bundle({
      entries: { migrate: "src/coderd/database/migrate.ts", pty: "src/pty/binding.ts" },
      outDir: dir,
    });
    const load = async (name: string): Promise<Record<string, unknown>> =>
      await import(pathToFileURL(join(dir, `${name}.mjs`)).href);
    assert.equal((await load("migrate"))["migrationsDir"], join(repoRoot, "src/coderd/database/migrations"));
    const { loadBinding } = await load("pty");
    assert.ok(typeof loadBinding === "function" && typeof loadBinding().fork === "function");
    assert.ok(metafile.inputs["src/coderd/database/migrate.ts"]);
  });

  it("takes the caller's expression for places, in one CommonJS file", async (t) => {
    const dir = await tempDir(t);
    await bundle({
      entries: { migrate: "src/coderd/database/migrate.ts", pty: "src/pty/binding.ts" },
      outDir: dir,
      format: "cjs",
      minify: true,
      sourcemap: false,
      sourceFolder: (folder) => `("/assets/" + ${JSON.stringify(folder)})`,
    });
    writeFileSync(join(dir, "package.json"), "{}");
    const load = createRequire(join(dir, "x.cjs"));
    assert.equal(load("./migrate.cjs").migrationsDir, "/assets/src/coderd/database/migrations");
    assert.throws(() => load("./pty.cjs").loadBinding(), /no terminals on this machine/);
  });

  it("writes nothing without a folder, and names a source that is missing", async () => {
    const { outputs } = await bundle({ entries: { clock: "src/quartz/clock.ts" } });
    assert.deepEqual(
      Object.keys(outputs).filter((name) => name.endsWith(".mjs")),
      ["build/none/clock.mjs"],
    );
    await assert.rejects(bundle({ entries: { none: "src/none.ts" } }), /src\/none\.ts/);
  });
});

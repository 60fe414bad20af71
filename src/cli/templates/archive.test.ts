import assert from "node:assert/strict";
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { unpackTar } from "modern-tar";
import { tempDir } from "#testutil/testutil.ts";
import { archiveLimit, archiveTemplate } from "./archive.ts";

async function template(t: TestContext, files: Readonly<Record<string, string>>): Promise<string> {
  const dir = await tempDir(t);
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(join(dir, name, ".."), { recursive: true });
    writeFileSync(join(dir, name), text);
  }
  return dir;
}

const names = async (dir: string): Promise<string[]> =>
  (await unpackTar(await archiveTemplate(dir))).map(({ header }) => header.name);

describe("archiveTemplate()", () => {
  it("takes files and folders, and leaves out what is hidden, state or variables", async (t) => {
    const dir = await template(t, {
      "main.tf": "",
      "module/x.tf": "",
      ".terraform.lock.hcl": "lock",
      ".git/config": "",
      ".terraform/modules/m.tf": "",
      "terraform.tfstate": "secret",
      "terraform.tfstate.backup": "secret",
      "prod.auto.tfvars": "secret",
      "terraform.tfvars.json": "secret",
      "named.tfvars": "kept",
    });
    assert.deepEqual(await names(dir), [
      ".terraform.lock.hcl",
      "main.tf",
      "module/",
      "module/x.tf",
      "named.tfvars",
    ]);
  });

  it("equal content gives equal bytes", async (t) => {
    const files = { "main.tf": "a", "b/c.sh": "x" };
    const [a, b] = [
      await archiveTemplate(await template(t, files)),
      await archiveTemplate(await template(t, files)),
    ];
    assert.deepEqual(a, b);
  });

  it("refuses what is too large, no template, or links outside", async (t) => {
    await assert.rejects(
      archiveTemplate(await template(t, { "main.tf": "x".repeat(archiveLimit + 1) })),
      /too large/,
    );
    await assert.rejects(archiveTemplate(await template(t, { "m/main.tf": "" })), /no \.tf/);
    const dir = await template(t, { "main.tf": "" });
    symlinkSync("../../etc/passwd", join(dir, "link"));
    await assert.rejects(archiveTemplate(dir), /outside of the template/);
  });

  it("keeps links that stay inside", async (t) => {
    const dir = await template(t, { "main.tf": "" });
    symlinkSync("main.tf", join(dir, "other.tf"));
    assert.deepEqual(await names(dir), ["main.tf", "other.tf"]);
  });
});

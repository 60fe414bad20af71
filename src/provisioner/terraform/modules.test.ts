import assert from "node:assert/strict";
import { mkdir, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { test, type TestContext } from "node:test";
import { unpackTar } from "modern-tar";
import { tempDir } from "#testutil/testutil.ts";
import { archiveModules, listModules } from "./modules.ts";

async function folder(t: TestContext, files: Readonly<Record<string, string | Buffer>>): Promise<string> {
  const dir = await tempDir(t);
  for (const [name, body] of Object.entries(files)) {
    await mkdir(dirname(join(dir, name)), { recursive: true });
    await writeFile(join(dir, name), body);
  }
  return dir;
}

const at = ".terraform/modules";

function manifest(...modules: readonly (readonly [key: string, source: string, dir: string])[]): string {
  return JSON.stringify({
    Modules: [
      { Key: "", Source: "", Dir: "." },
      ...modules.map(([Key, Source, Dir]) => ({ Key, Source, Version: "1.0.0", Dir })),
    ],
  });
}

test("no manifest: no modules, no archive", async (t) => {
  const dir = await folder(t, { "main.tf": "" });
  assert.deepEqual(await listModules(dir), []);
  assert.equal((await archiveModules(dir)).length, 0);
});

test("the archive has fetched modules only, without version control and links, the smallest first", async (t) => {
  const dir = await folder(t, {
    [`${at}/modules.json`]: manifest(
      ["big", "registry/big", `${at}/big`],
      ["small", "registry/small", `${at}/small`],
      ["small.inner", "./inner", `${at}/small/inner`],
      ["local", "./local", "local"],
    ),
    [`${at}/big/main.tf`]: "x".repeat(5000),
    [`${at}/small/main.tf`]: "x",
    [`${at}/small/inner/main.tf`]: "y",
    [`${at}/small/.git/config`]: "secret",
    "local/main.tf": "z",
  });
  await symlink("/etc/passwd", join(dir, at, "small/link"));
  assert.deepEqual(
    (await listModules(dir)).map(({ key, version }) => [key, version]),
    [
      ["big", "1.0.0"],
      ["small", "1.0.0"],
      ["small.inner", "1.0.0"],
      ["local", "1.0.0"],
    ],
  );
  const archive = await archiveModules(dir);
  const entries = await unpackTar(archive);
  assert.deepEqual(
    entries.filter(({ header }) => header.type === "file").map(({ header }) => header.name),
    [`${at}/small/inner/main.tf`, `${at}/small/main.tf`, `${at}/big/main.tf`, `${at}/modules.json`],
  );
  assert.ok(entries.every(({ header }) => header.uid === 1000 && header.mtime?.getTime() === 0));
  assert.deepEqual(await archiveModules(dir), archive);
});

test("what does not fit is left out; a manifest that names nothing there is empty", async (t) => {
  const dir = await folder(t, {
    [`${at}/modules.json`]: manifest(
      ["huge", "r", `${at}/huge`],
      ["ok", "r", `${at}/ok`],
      ["gone", "r", `${at}/gone`],
    ),
    [`${at}/huge/blob`]: Buffer.alloc(21 << 20),
    [`${at}/ok/main.tf`]: "x",
  });
  const names = (await unpackTar(await archiveModules(dir))).map(({ header }) => header.name);
  assert.ok(names.includes(`${at}/ok/main.tf`));
  assert.ok(!names.some((name) => name.includes("huge")));
  const empty = await folder(t, { [`${at}/modules.json`]: manifest(["local", "./x", "x"]) });
  assert.equal((await archiveModules(empty)).length, 0);
  const outside = await folder(t, {
    [`${at}/modules.json`]: manifest(["evil", "r", `${at}/../../..`]),
    "main.tf": "x",
  });
  assert.equal((await archiveModules(outside)).length, 0);
});

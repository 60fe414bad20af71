import assert from "node:assert/strict";
import { mkdtemp, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { echoArchive } from "#provisioner/echo/archive.ts";
import { newServer } from "#coderd/coderdtest/coderdtest.ts";
import { unpackTar } from "modern-tar";
import { tempDir } from "#testutil/testutil.ts";
import { runCli } from "../clitest/clitest.ts";

/** A template of the echo engine as files in a folder, with a comment that tells one from another. */
async function writeTemplate(dir: string, comment: string): Promise<void> {
  for (const { header, data } of await unpackTar(await echoArchive())) {
    await writeFile(join(dir, header.name), data ?? "");
  }
  await writeFile(join(dir, "main.tf"), `# ${comment}\n`);
}

test("templates: push twice, pull, promote, archive, edit, delete", async (t) => {
  const server = await newServer(t, { echo: true });
  const owner = await server.createFirstUser();
  const env = { CODER_URL: server.url, CODER_SESSION_TOKEN: owner.token };
  const cwd = await tempDir(t);
  const ok = async (...line: string[]): Promise<string> => {
    const done = await runCli(["templates", ...line], { env, cwd });
    assert.equal(done.status, 0, done.stderr);
    return done.stdout;
  };
  const dir = await mkdtemp(join(cwd, "tpl"));
  await writeTemplate(dir, "one");
  const push = ["push", "tpl", "-d", dir, "--yes", "--test.provisioner", "echo"];
  assert.match(await ok(...push, "--name", "v1"), /=== ✔ [^]*Updated version at/);
  await writeFile(join(dir, "main.tf"), "# two\n");
  await ok(...push, "--name", "v2", "--activate=false");

  await ok("pull", "tpl", "out");
  assert.equal(await readFile(join(cwd, "out/main.tf"), "utf8"), "# one\n");
  await ok("pull", "tpl", "latest", "--version", "latest");
  assert.equal(await readFile(join(cwd, "latest/main.tf"), "utf8"), "# two\n");
  const full = await runCli(["templates", "pull", "tpl", "out"], { env, cwd, stdin: "no\n" });
  assert.equal(full.status, 1);
  assert.equal((await ok("pull", "tpl", "--zip")).slice(0, 2), "PK");

  await ok("versions", "promote", "-t", "tpl", "--template-version", "v2");
  assert.match(await ok("versions", "list", "tpl"), /v2 .*Active/);
  assert.match(await ok("versions", "archive", "tpl", "v1", "--yes"), /Archived version v1/);
  assert.doesNotMatch(await ok("versions", "list", "tpl"), /v1/);
  assert.match(await ok("versions", "unarchive", "tpl", "v1", "--yes"), /Unarchived version v1/);
  assert.match(await ok("archive", "tpl", "--all", "--yes"), /Archived 1 versions from tpl/);

  await ok("edit", "tpl", "--yes", "--display-name", "Template", "--default-ttl", "2h");
  const [{ Template: edited }] = JSON.parse(await ok("list", "-o", "json"));
  assert.deepEqual([edited.display_name, edited.default_ttl_ms], ["Template", 7_200_000]);
  const [row] = (await ok("presets", "list", "tpl", "-o", "json")).split("\n");
  assert.equal(row, "[]");
  assert.match(await ok("delete", "tpl", "--yes"), /Deleted template tpl/);
  const missing = await runCli(["templates", "versions", "promote"], { env });
  assert.match(missing.stderr, /Missing values for the required flags: template, template-version/);
});

test("provisioner: list, jobs list, jobs cancel", async (t) => {
  const server = await newServer(t, { echo: true });
  const owner = await server.createFirstUser();
  const env = { CODER_URL: server.url, CODER_SESSION_TOKEN: owner.token };
  const cwd = await tempDir(t);
  await writeTemplate(cwd, "one");
  const push = ["templates", "push", "tpl", "--yes", "--test.provisioner", "echo"];
  assert.equal((await runCli(push, { env, cwd })).status, 0);
  const daemons = await runCli(["provisioner", "ls", "-o", "json"], { env });
  assert.equal(JSON.parse(daemons.stdout)[0].organization_name, "coder");
  const jobs = await runCli(["provisioner", "jobs", "list", "-o", "json", "-i", "me"], { env });
  const [job] = JSON.parse(jobs.stdout);
  assert.deepEqual([job.status, job.type, job.queue], ["succeeded", "template_version_import", ""]);
  assert.match((await runCli(["provisioner", "jobs", "list"], { env })).stdout, /template_version_import/);
  const cancel = await runCli(["provisioner", "jobs", "cancel", job.id], { env });
  assert.equal(cancel.status, 1);
});

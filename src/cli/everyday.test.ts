import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { createBuiltWorkspace, createEchoTemplate } from "#coderd/coderdtest/builds.ts";
import { newServer, type Person, type TestServer } from "#coderd/coderdtest/coderdtest.ts";
import { users } from "#codersdk/users.ts";
import { workspaces } from "#codersdk/workspaces.ts";
import { tempDir } from "#testutil/testutil.ts";
import { type CliOptions, type CliResult, runCli } from "./clitest/clitest.ts";

type Run = (line: readonly string[], options?: CliOptions) => Promise<CliResult>;

/** Runs command lines as that person. */
function as(server: TestServer, person: Person): Run {
  const env = { CODER_URL: server.url, CODER_SESSION_TOKEN: person.token };
  return (line, options = {}) => runCli(line, { ...options, env: { ...env, ...options.env } });
}

async function ok(result: Promise<CliResult>): Promise<string> {
  const { status, stdout, stderr } = await result;
  assert.equal(status, 0, stderr);
  return stdout;
}

async function world(t: TestContext): Promise<{ server: TestServer; owner: Person; run: Run }> {
  const server = await newServer(t, { echo: true, config: { allowWorkspaceRenames: true } });
  const owner = await server.createFirstUser();
  return { server, owner, run: as(server, owner) };
}

test("users: create, list, show, roles, suspend, activate, delete", async (t) => {
  const { server, run } = await world(t);
  const made = await run(["users", "create", "--username", "carl", "--email", "carl@test.invalid"]);
  assert.deepEqual([made.status, made.stdout], [0, ""]);
  const password = /: (\S{20})\n/.exec(made.stderr)?.[1] ?? "";
  const carl = await server.login("carl@test.invalid", password);
  assert.match(await ok(run(["users", "ls"])), /^USERNAME +EMAIL +CREATED AT +STATUS +\n[^]*carl +carl@test/);
  assert.equal(JSON.parse(await ok(run(["users", "list", "-o", "json"]))).length, 2);
  assert.match(await ok(run(["users", "show", "carl"])), /Organizations +coder\n/);
  const shown = JSON.parse(await ok(run(["users", "show", "carl", "-o", "json"])));
  assert.deepEqual([shown.username, shown.organization_names], ["carl", ["coder"]]);
  await ok(run(["users", "edit-roles", "carl", "--roles", "auditor"]));
  const me = await carl.call(users.get, { params: { user: "me" } });
  assert.deepEqual(
    me.roles.map(({ name }) => name),
    ["auditor"],
  );
  const wrong = await run(["users", "edit-roles", "carl", "--roles", "king"]);
  assert.match(wrong.stderr, /"king" are not site roles/);
  const no = await run(["users", "suspend", "carl"], { stdin: "no\n" });
  assert.equal(no.status, 1);
  assert.match(await ok(run(["users", "suspend", "carl"], { stdin: "yes\n" })), /has been suspended!/);
  await assert.rejects(carl.call(users.get, { params: { user: "me" } }));
  const twice = await run(["users", "suspend", "carl"], { stdin: "yes\n" });
  assert.match(twice.stderr, /already suspended/);
  assert.match(await ok(run(["users", "activate", "carl"], { stdin: "yes\n" })), /has been activated!/);
  await ok(run(["users", "rm", "carl"]));
  assert.equal((await run(["users", "show", "carl"])).status, 1);
});

test("users: a member may neither make nor suspend", async (t) => {
  const { server, owner } = await world(t);
  const run = as(server, await server.createAnotherUser());
  const made = await run(["users", "create", "-u", "eve", "-e", "eve@test.invalid"]);
  assert.equal(made.status, 1);
  assert.equal((await run(["users", "suspend", owner.username], { stdin: "yes\n" })).status, 1);
});

test("publickey shows, and makes anew after a yes", async (t) => {
  const { run } = await world(t);
  const first = await ok(run(["publickey"]));
  assert.match(first, /^ssh-ed25519 \S+/);
  assert.equal((await run(["pubkey", "--reset"], { stdin: "\n" })).status, 1);
  assert.equal(await ok(run(["publickey"])), first);
  assert.notEqual(await ok(run(["publickey", "--reset", "--yes"])), first);
});

test("organizations: list, show, id only", async (t) => {
  const { run, owner } = await world(t);
  assert.match(await ok(run(["org", "list"])), /^NAME +DISPLAY NAME +ID +DEFAULT/);
  assert.equal(await ok(run(["organizations", "show", "--only-id"])), `${owner.organizationId}\n`);
  assert.equal(JSON.parse(await ok(run(["orgs", "show", "me", "-o", "json"])))[0].is_default, true);
  assert.equal((await run(["organizations", "show", "nowhere"])).status, 1);
});

test("rename, favorite, autoupdate, state of a workspace", async (t) => {
  const { owner, run } = await world(t);
  const template = await createEchoTemplate(owner);
  const { name, id } = await createBuiltWorkspace(owner, template.id);
  const get = () => owner.client.call(workspaces.get, { params: { workspace: id } });

  assert.match(await ok(run(["favourite", name])), /added to favorites/);
  assert.equal((await get()).favorite, true);
  await ok(run(["unfav", name]));
  assert.equal((await get()).favorite, false);

  await ok(run(["autoupdate", name, "always", "--yes"]));
  assert.equal((await get()).automatic_updates, "always");
  assert.match((await run(["autoupdate", name, "sometimes"])).stderr, /must be either of always or never/);

  const wrong = await run(["rename", name, "newname"], { stdin: "other\n" });
  assert.equal(wrong.status, 1);
  await ok(run(["rename", name, "newname"], { stdin: `${name}\n` }));
  assert.equal((await get()).name, "newname");

  const dir = await tempDir(t);
  const file = join(dir, "state");
  await writeFile(file, '{"version":4}');
  await ok(run(["state", "push", "newname", file, "--no-build"]));
  assert.equal(await ok(run(["state", "pull", "newname"])), '{"version":4}\n');
  await ok(run(["state", "pull", "newname", "copy"], { cwd: dir }));
  assert.equal(await readFile(join(dir, "copy"), "utf8"), '{"version":4}');
  await ok(run(["state", "push", "newname", "-"], { stdin: '{"version":4,"serial":2}' }));
  assert.equal((await get()).latest_build.build_number, 2);
  assert.equal(await ok(run(["state", "pull", "newname", "--build", "1"])), '{"version":4}\n');
});

import assert from "node:assert/strict";
import { chmod, mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { newServer } from "#coderd/coderdtest/coderdtest.ts";
import { workspaceScene } from "#coderd/database/dbfake/dbfake.ts";
import { users } from "#codersdk/users.ts";
import { tempDir } from "#testutil/testutil.ts";
import { runCli, withoutWaits } from "../clitest/clitest.ts";

test("gitssh: gives ssh the user's own keys, then his Git key; a refusal shows the public key", async (t) => {
  const server = await newServer(t);
  const owner = await server.createFirstUser();
  const user = await server.db.store.getUserById({ id: owner.id });
  const scene = await workspaceScene(server.db.store, { owner: user });
  const home = await tempDir(t);
  const bin = join(home, "bin");
  await mkdir(bin);
  await mkdir(join(home, "tmp"));
  await writeFile(join(home, "own_key"), "x");
  // Stands for OpenSSH: answers -G, else notes its arguments and the key that it was given.
  await writeFile(
    join(bin, "ssh"),
    `#!/bin/sh
if [ "$1" = -G ]; then printf 'identityfile ~/own_key\\nidentityfile ~/absent\\n'; exit; fi
printf '%s\\n' "$@" > "$HOME/args"
cp "$4" "$HOME/key"
cat
exit $STATUS
`,
  );
  await chmod(join(bin, "ssh"), 0o755);
  const env = {
    PATH: `${bin}:/usr/bin:/bin`,
    HOME: home,
    TMPDIR: join(home, "tmp"),
    CODER_AGENT_URL: server.url,
    CODER_AGENT_TOKEN: scene.agent.authToken,
  };
  const line = ["gitssh", "--", "-o", "SendEnv=X", "git@host", "git-upload-pack 'a b'"];
  const done = await runCli(line, { env: { ...env, STATUS: "0" }, stdin: "pack" });
  assert.deepEqual([done.status, done.stdout, withoutWaits(done.stderr)], [0, "pack", ""]);
  const args = (await readFile(join(home, "args"), "utf8")).trimEnd().split("\n");
  assert.deepEqual(args.with(3, "KEY"), [
    "-i",
    join(home, "own_key"),
    "-i",
    "KEY",
    "-o",
    "SendEnv=X",
    "git@host",
    "git-upload-pack 'a b'",
  ]);
  assert.match(await readFile(join(home, "key"), "utf8"), /PRIVATE KEY/);
  assert.deepEqual(await readdir(join(home, "tmp")), []);

  const refused = await runCli(line, { env: { ...env, STATUS: "255" } });
  const { public_key: key } = await owner.client.call(users.gitSshKey, { params: { user: "me" } });
  assert.equal(refused.status, 255);
  assert.ok(refused.stderr.includes(key.trim()));
  const outside = await runCli(line, { env: { HOME: home, PATH: env.PATH } });
  assert.match(outside.stderr, /inside a workspace only/);
});

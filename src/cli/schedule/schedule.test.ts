import assert from "node:assert/strict";
import { test } from "node:test";
import { createBuiltWorkspace, createEchoTemplate } from "#coderd/coderdtest/builds.ts";
import { newServer } from "#coderd/coderdtest/coderdtest.ts";
import { runCli } from "../clitest/clitest.ts";

test("schedule: start, stop, show, manual, extend", async (t) => {
  const server = await newServer(t, { echo: true });
  const owner = await server.createFirstUser();
  const template = await createEchoTemplate(owner);
  const { name } = await createBuiltWorkspace(owner, template.id);
  const env = { CODER_URL: server.url, CODER_SESSION_TOKEN: owner.token };
  const run = (...line: string[]) => runCli(["schedule", ...line], { env });

  const start = await run("start", name, "9:30AM", "Mon-Fri", "Europe/Dublin");
  assert.equal(start.status, 0, start.stderr);
  assert.match(start.stdout, /^WORKSPACE +STARTS AT +STARTS NEXT +STOPS AFTER +STOPS NEXT/);
  assert.match(start.stdout, /9:30AM Mon-Fri \(Europe\/Dublin\)/);
  const stop = await run("stop", name, "8h");
  assert.match(stop.stdout, / 8h /);
  const shown = await run("show", name, "-o", "json");
  const [row] = JSON.parse(shown.stdout);
  assert.deepEqual(Object.keys(row), ["workspace", "starts_at", "starts_next", "stops_after", "stops_next"]);
  assert.equal(row.starts_at, "9:30AM Mon-Fri (Europe/Dublin)");
  assert.match((await run("show")).stdout, new RegExp(name));
  assert.equal((await run("show", "nowhere")).status, 1);

  assert.doesNotMatch((await run("start", name, "manual")).stdout, /9:30AM/);
  assert.equal((await run("stop", name, "manual")).status, 0);
  assert.equal((await run("start", name, "soon")).status, 1);
  const short = await run("extend", name, "10m");
  assert.deepEqual([short.status, /at least 30 minutes/.test(short.stdout)], [0, true]);
});

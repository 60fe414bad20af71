import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, it } from "node:test";
import { newDb } from "#coderd/database/dbtestutil/dbtestutil.ts";
import { eventually, tempDir } from "#testutil/testutil.ts";
import { runCli, startCli } from "../clitest/clitest.ts";
import { parseAddress } from "./config.ts";
import { humanLine } from "./humanlog.ts";

describe("coder server", () => {
  it("starts on an empty database, takes the first login by the command line, and stops at a signal", async (t) => {
    const { url: postgres } = await newDb(t);
    const config = join(await tempDir(t), "config");
    const stop = new AbortController();
    t.after(() => stop.abort());
    const env = {
      CODER_CONFIG_DIR: config,
      CODER_CACHE_DIRECTORY: config,
      CODER_PG_CONNECTION_URL: postgres,
      CODER_LOGGING_HUMAN: "",
    };
    const server = startCli(["server", "--http-address", "127.0.0.1:0"], { env, signal: stop.signal });
    const url = await eventually(
      "the server listens",
      () => /Started HTTP listener at (\S+)/.exec(server.stdout())?.[1],
    );
    const client = { CODER_CONFIG_DIR: join(config, "client") };
    const first = [
      "--first-user-username",
      "ada",
      "--first-user-email",
      "ada@example.com",
      "--first-user-password",
      "SomeSecurePassword!1",
    ];
    const login = await runCli(["login", url, ...first], { env: client });
    assert.equal(login.status, 0, login.stderr);
    assert.match(login.stdout, /Welcome to Coder, ada!/);
    const who = await runCli(["whoami", "-o", "json"], { env: client });
    assert.equal(JSON.parse(who.stdout)[0].username, "ada");
    const token = await runCli(["tokens", "create", "--name", "t1", "--lifetime", "1d"], { env: client });
    assert.match(token.stdout, /^[0-9A-Za-z]{10}-[0-9A-Za-z]{22}\n$/);
    const again = await runCli(["tokens", "create", "--name", "t1"], { env: client });
    assert.equal(again.status, 1);
    assert.match(again.stderr, /name/);
    assert.match((await runCli(["tokens", "ls"], { env: client })).stdout, /t1/);
    assert.equal((await runCli(["logout", "--yes"], { env: client })).status, 0);
    const out = await runCli(["whoami"], {
      env: { ...client, CODER_URL: url, CODER_SESSION_TOKEN: "abcdefghij-0123456789abcdefghijkl" },
    });
    assert.match(out.stderr, /Try logging in using 'coder login'/);
    stop.abort(new DOMException("SIGTERM", "AbortError"));
    assert.equal((await server.result).status, 0);
  });

  it("--write-config prints options as YAML that --config reads", async () => {
    const { stdout, status } = await runCli(["server", "--write-config"], {
      env: { CODER_SESSION_DURATION: "48h" },
    });
    assert.equal(status, 0);
    assert.match(stdout, /networking:\n/);
    assert.match(stdout, /sessionDuration: 48h0m0s/);
    assert.ok(!stdout.includes("pgConnection"));
  });

  it("refuses addresses and URLs that it cannot use", async () => {
    assert.deepEqual(parseAddress("[::1]:80"), { host: "::1", port: 80 });
    assert.deepEqual(parseAddress(":80"), { host: "0.0.0.0", port: 80 });
    for (const bad of ["", "80", "a:b", "a:70000"]) assert.throws(() => parseAddress(bad), /received/);
  });
});

describe("humanLine()", () => {
  it("one line, whatever the values", () => {
    const line = humanLine(
      JSON.stringify({ level: 40, time: 0, logger: "a.b", msg: "hello", path: "x\ny", n: 1 }),
    );
    assert.equal(line, '1970-01-01T00:00:00.000Z [warn] a.b: hello  path="x\\ny" n=1\n');
    assert.equal(humanLine("not json\n"), "not json\n");
  });
});

import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { chown, mkdir, mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { it, type TestContext } from "node:test";
import { promisify } from "node:util";
import pg from "pg";
import { realClock } from "#quartz/clock.ts";
import { discardLogger } from "#slog/slog.ts";
import { eventually } from "#testutil/testutil.ts";
import { clientConfig, type PgConnection } from "./connection.ts";
import { Database, oldestServer } from "./db.ts";
import { scratchRoot } from "./dbtestutil/cluster.ts";
import { chooseIdentity } from "./embedded/identity.ts";
import { cleanEnv } from "./embedded/process.ts";
import { queries } from "./gen/queries.gen.ts";
import { loadMigrations, migrate } from "./migrate.ts";
import { type AnyQuery, filterMark } from "./query.ts";

const run = promisify(execFile);
const bin = `/usr/lib/postgresql/${oldestServer}/bin`;

/** A server of the oldest version that we support, as this machine has it installed. */
async function startOldest(t: TestContext): Promise<PgConnection> {
  const root = await scratchRoot();
  await mkdir(root, { recursive: true });
  const dir = await mkdtemp(join(root, `run-${process.pid}-`));
  const identity = await chooseIdentity();
  const ids = identity.initdb ?? {};
  if (identity.initdb) await chown(dir, identity.initdb.uid, identity.initdb.gid);
  const data = join(dir, "data");
  const options = { ...ids, env: cleanEnv(), cwd: "/" };
  await run(
    join(bin, "initdb"),
    ["-D", data, "-U", "coder", "-A", "trust", "-N", "-E", "UTF8", "--locale=C"],
    options,
  );
  const server = spawn(join(bin, "postgres"), ["-D", data, "-k", dir, "-h", "", "-c", "fsync=off"], {
    ...options,
    stdio: "ignore",
  });
  t.after(async () => {
    const ended = once(server, "exit");
    if (server.kill("SIGINT")) await ended;
    await rm(dir, { recursive: true, force: true });
  });
  const connection = { host: dir, port: 5432, user: "coder", database: "postgres" };
  await eventually("the server", async () => {
    const client = new pg.Client(clientConfig(connection));
    await client.connect();
    await client.end();
    return true;
  });
  return connection;
}

it(`every migration runs and every query prepares on PostgreSQL ${oldestServer}`, async (t) => {
  if (!existsSync(join(bin, "postgres"))) {
    return t.skip(`PostgreSQL ${oldestServer} is not installed (${bin})`);
  }
  const connection = await startOldest(t);
  await migrate({ connection, migrations: await loadMigrations() });
  const client = new pg.Client(clientConfig(connection));
  await client.connect();
  const failures: string[] = [];
  for (const query of Object.values<AnyQuery>(queries)) {
    await client
      .query(`PREPARE ${query.name} AS ${query.sql.replace(filterMark, "AND true")}`)
      .catch((error: unknown) => {
        failures.push(`${query.name}: ${error instanceof Error ? error.message : String(error)}`);
      });
  }
  await client.end();
  assert.deepEqual(failures, []);
  await using database = await Database.open({ connection, log: discardLogger, clock: realClock });
  assert.equal((await database.store.getDefaultOrganization({})).name, "coder");
  return undefined;
});

import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, chown, mkdir, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import pg from "pg";
import { realClock } from "#quartz/clock.ts";
import { discardLogger } from "#slog/slog.ts";
import { eventually, tempDir } from "#testutil/testutil.ts";
import { clientConfig } from "../connection.ts";
import { Database } from "../db.ts";
import { scratchRoot, seeded } from "../dbtestutil/cluster.ts";
import { checkMajor, explain } from "./diagnose.ts";
import { type EmbeddedOptions, type EmbeddedPostgres, startEmbeddedPostgres } from "./embedded.ts";
import { privateFolder } from "./identity.ts";
import { isAlive } from "./process.ts";

const isRoot = process.getuid?.() === 0;

/** Programs are shared with other tests, everything else is the test's own. */
async function places(t: TestContext) {
  const cacheDir = await scratchRoot();
  await mkdir(cacheDir, { recursive: true });
  const dir = await mkdtemp(join(cacheDir, `run-${process.pid}-`));
  t.after(() => rm(dir, { recursive: true, force: true }));
  await chmod(dir, 0o755);
  return {
    stateDir: join(dir, "state"),
    dataHome: join(dir, "home"),
    socketRoot: dir,
    cacheDir,
    rootDir: cacheDir,
    seed: await seeded(cacheDir),
  };
}

const fast = { settings: { fsync: "off", shared_buffers: "16MB" }, durable: false } as const;

function start(options: Omit<EmbeddedOptions, "log" | "clock">): Promise<EmbeddedPostgres> {
  return startEmbeddedPostgres({ ...fast, ...options, log: discardLogger, clock: realClock });
}

async function sql(server: EmbeddedPostgres, text: string): Promise<unknown[]> {
  const client = new pg.Client(clientConfig(server.connection));
  client.on("error", () => {});
  await client.connect();
  try {
    return (await client.query(text)).rows;
  } finally {
    await client.end();
  }
}

/** The server under a process of its own, as somebody else's or to be killed. */
async function startChild(t: TestContext, options: object, uid?: number) {
  const program = join(import.meta.dirname, "testdata/child.ts");
  const ids = uid === undefined ? {} : { uid, gid: uid };
  const child: ChildProcess = spawn(process.execPath, [program, JSON.stringify({ ...fast, ...options })], {
    ...ids,
    stdio: ["ignore", "pipe", "inherit"],
  });
  t.after(() => child.kill("SIGKILL"));
  const [line] = await once(child.stdout?.setEncoding("utf8") ?? child, "data");
  const told: unknown = JSON.parse(String(line));
  assert.ok(typeof told === "object" && told !== null && "pid" in told && "dataDir" in told);
  return { child, pid: Number(told.pid), dataDir: String(told.dataDir) };
}

describe("startEmbeddedPostgres", () => {
  it("starts, keeps data over a restart, and leaves no process or socket", async (t) => {
    const { seed: _, ...where } = await places(t);
    await mkdir(join(where.dataHome, "data.new", "left of a killed initdb"), { recursive: true });
    let pid: number;
    {
      await using server = await start(where);
      pid = server.pid();
      assert.equal(server.adopted, false);
      await sql(server, "CREATE TABLE kept AS SELECT 1 AS n");
      const mode = (await stat(server.connection.host)).mode & 0o777;
      assert.equal(mode, 0o700);
      assert.deepEqual(await sql(server, "SHOW listen_addresses"), [{ listen_addresses: "" }]);
    }
    assert.equal(isAlive(pid), false);
    await using server = await start(where);
    assert.deepEqual(await sql(server, "SELECT n FROM kept"), [{ n: 1 }]);
  });

  it("starts a killed database again; what was committed is there", async (t) => {
    await using server = await start(await places(t));
    await sql(server, "CREATE TABLE kept AS SELECT 1 AS n");
    const killed = server.pid();
    process.kill(killed, "SIGKILL");
    await eventually("another process", () => server.pid() !== killed && server.pid() !== 0);
    assert.deepEqual(await sql(server, "SELECT n FROM kept"), [{ n: 1 }]);
  });

  it("a store waits for a database that restarts", async (t) => {
    await using server = await start(await places(t));
    await using database = await Database.open({
      connection: { ...server.connection, database: "migrated" },
      log: discardLogger,
      clock: realClock,
    });
    const read = () => database.store.getDefaultOrganization({});
    const before = await read();
    process.kill(server.pid(), "SIGKILL");
    await eventually("the pool has noticed", () => database.stats().open === 0);
    assert.deepEqual(await read(), before);
  });

  it("loses nothing that was acknowledged, however often it is killed", async (t) => {
    await using server = await start(await places(t));
    await using database = await Database.open({
      connection: { ...server.connection, database: "migrated" },
      log: discardLogger,
      clock: realClock,
    });
    const { store } = database;
    const acknowledged: string[] = [];
    const stop = new AbortController();
    t.after(() => stop.abort());
    const write = async (writer: number) => {
      for (let n = 0; !stop.signal.aborted; n++) {
        const key = `${writer}-${n}`;
        await store.upsertSiteConfig({ key, value: key }).then(
          () => acknowledged.push(key),
          () => {},
        );
      }
    };
    const writers = [1, 2, 3].map(write);
    for (let kills = 0; kills < 3; kills++) {
      const before = acknowledged.length;
      const killed = server.pid();
      await eventually("some writes", () => acknowledged.length > before + 50);
      process.kill(killed, "SIGKILL");
      await eventually("another process", () => server.pid() !== killed);
    }
    const before = acknowledged.length;
    await eventually("writes again", () => acknowledged.length > before + 50);
    stop.abort();
    await Promise.all(writers);
    for (const key of acknowledged) assert.deepEqual(await store.getSiteConfig({ key }), { value: key });
  });

  it("a database whose parent was killed ends with it; the next start waits for that", async (t) => {
    const where = await places(t);
    const { child, pid } = await startChild(t, where);
    child.kill("SIGKILL");
    await once(child, "exit");
    await using server = await start(where);
    assert.equal(server.adopted, false);
    assert.equal(isAlive(pid), false);
    assert.deepEqual(await sql(server, "SELECT 1 AS n"), [{ n: 1 }]);
  });

  it("adopts a database that outlived its parent, and stops it at the end", async (t) => {
    const where = await places(t);
    const { child, pid } = await startChild(t, { ...where, tied: false });
    child.kill("SIGKILL");
    await once(child, "exit");
    {
      await using server = await start(where);
      assert.equal(server.adopted, true);
      assert.equal(server.pid(), pid);
      assert.deepEqual(await sql(server, "SELECT 1 AS n"), [{ n: 1 }]);
    }
    assert.equal(isAlive(pid), false);
  });

  it("uses the database of a living process without stopping it", async (t) => {
    const where = await places(t);
    const { child, pid } = await startChild(t, where);
    {
      await using server = await start(where);
      assert.equal(server.adopted, true);
      assert.deepEqual(await sql(server, "SELECT 1 AS n"), [{ n: 1 }]);
    }
    assert.equal(isAlive(pid), true);
    child.kill("SIGTERM");
    await once(child, "exit");
    await eventually("the end of the database", () => !isAlive(pid));
  });

  it("is not confused by a stale postmaster.pid whose number is somebody else's now", async (t) => {
    const where = await places(t);
    const dataDir = await (async () => {
      await using server = await start(where);
      return server.dataDir;
    })();
    const old = await readFile(join(dataDir, "PG_VERSION"), "utf8");
    assert.equal(old.trim(), "18");
    await writeFile(join(dataDir, "postmaster.pid"), `${process.pid}\n${dataDir}\n`);
    await using server = await start(where);
    assert.deepEqual(await sql(server, "SELECT 1 AS n"), [{ n: 1 }]);
  });

  it("refuses data of another version before touching it", async (t) => {
    const where = await places(t);
    await mkdir(join(where.dataHome, "data"), { recursive: true });
    await writeFile(join(where.dataHome, "data", "PG_VERSION"), "99\n");
    await assert.rejects(start(where), /PostgreSQL 99, newer than the 18 .*CODER_PG_CONNECTION_URL/s);
    assert.throws(() => checkMajor(17, 18, "/x"), /older than the 18/);
  });

  it("names the way out where it cannot write", async (t) => {
    const where = await places(t);
    await writeFile(join(where.socketRoot, "file"), "");
    const dataHome = join(where.socketRoot, "file", "home");
    await assert.rejects(start({ ...where, dataHome }), /CODER_PG_CONNECTION_URL/);
  });

  it("ends the wait when the signal aborts", async (t) => {
    const where = await places(t);
    await assert.rejects(start({ ...where, signal: AbortSignal.abort(new Error("gone")) }), /gone/);
  });

  it("runs as an ordinary user too", async (t) => {
    if (!isRoot) return t.skip("the other tests run as an ordinary user already");
    const where = await places(t);
    await mkdir(where.stateDir);
    await chown(where.stateDir, 65_534, 65_534);
    await chown(where.socketRoot, 65_534, 65_534);
    const own = { stateDir: where.stateDir, cacheDir: where.cacheDir, socketRoot: where.socketRoot };
    const { child, pid, dataDir } = await startChild(t, own, 65_534);
    assert.equal((await stat(dataDir)).uid, 65_534);
    assert.equal((await stat(`/proc/${pid}`)).uid, 65_534);
    child.kill("SIGTERM");
    await once(child, "exit");
    return undefined;
  });
});

describe("explain", () => {
  it("says what helps", () => {
    const cases: readonly (readonly [string, RegExp])[] = [
      ["could not write: No space left on device", /the disk that holds \/x is full/],
      [
        "initdb: error: could not look up effective user ID 1234: user does not exist",
        /no entry in \/etc\/passwd/,
      ],
      ["EROFS: read-only file system, mkdir '/x'", /read-only file system: give the state another place/],
      ["ENOENT: no such file or directory, mkdir '/x'", /\/x cannot be made/],
      ["EACCES: permission denied, mkdir '/x'", /cannot be used by the database's user/],
      ["something else", /look at \/x/],
    ];
    for (const [said, expected] of cases) {
      const { message } = explain("start", "/x", said);
      assert.match(message, expected);
      assert.match(message, /CODER_PG_CONNECTION_URL/);
      assert.ok(message.includes(said));
    }
  });
});

describe("privateFolder", () => {
  it("refuses a folder that others may enter or that is somebody else's", async (t) => {
    const dir = await tempDir(t);
    const identity = { uid: process.getuid?.() ?? 0 };
    await mkdir(join(dir, "open"));
    await chmod(join(dir, "open"), 0o755);
    await assert.rejects(privateFolder(join(dir, "open"), identity), /mode 0700/);
    await privateFolder(join(dir, "new"), identity);
    await privateFolder(join(dir, "new"), identity);
    await assert.rejects(privateFolder(join(dir, "new"), { uid: identity.uid + 1 }), /user id/);
  });
});

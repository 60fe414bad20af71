import assert from "node:assert/strict";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import pg from "pg";
import { tempDir } from "#testutil/testutil.ts";
import { clientConfig, type PgConnection } from "./connection.ts";
import { newConnection } from "./dbtestutil/dbtestutil.ts";
import { loadMigrations, migrate, type Migration, migrationsDir } from "./migrate.ts";

async function withClient<T>(connection: PgConnection, fn: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client(clientConfig(connection));
  await client.connect();
  try {
    return await fn(client);
  } finally {
    await client.end();
  }
}

/** What a schema is made of, as text that can be compared. */
function dump(connection: PgConnection): Promise<string[]> {
  return withClient(connection, async (client) => {
    const { rows } = await client.query<{ line: string }>(`
      SELECT format('column %s.%s %s %s default %s', c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull,
          pg_get_expr(d.adbin, d.adrelid)) AS line
        FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
        WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'v') AND a.attnum > 0 AND NOT a.attisdropped
      UNION ALL SELECT format('index %s', indexdef) FROM pg_indexes WHERE schemaname = 'public'
      UNION ALL SELECT format('constraint %s %s %s', conrelid::regclass, conname, pg_get_constraintdef(oid))
        FROM pg_constraint WHERE connamespace = 'public'::regnamespace
      UNION ALL SELECT format('enum %s %s', enumtypid::regtype, enumlabel) FROM pg_enum
      UNION ALL SELECT format('trigger %s', pg_get_triggerdef(oid)) FROM pg_trigger WHERE NOT tgisinternal
      UNION ALL SELECT format('function %s', pg_get_functiondef(oid)) FROM pg_proc WHERE pronamespace = 'public'::regnamespace
      ORDER BY 1`);
    return rows.map((row) => row.line);
  });
}

async function fixtures(): Promise<Map<number, string>> {
  const dir = join(migrationsDir, "fixtures");
  const out = new Map<number, string>();
  for (const file of await readdir(dir)) {
    out.set(Number(file.slice(0, 6)), await readFile(join(dir, file), "utf8"));
  }
  return out;
}

const m = (version: number, up: string, down = "SELECT 1"): Migration => ({
  version,
  name: `m${version}`,
  up,
  down,
});

describe("our migrations", () => {
  it("go up with data, down to nothing, and up again to the same schema", async (t) => {
    const connection = await newConnection(t, "empty");
    const migrations = await loadMigrations();
    const rows = await fixtures();
    const newest = await migrate({
      connection,
      migrations,
      after: async (client, migration) => {
        await client.query(rows.get(migration.version) ?? "");
      },
    });
    assert.deepEqual(newest, { from: 0, to: migrations.length });
    const first = await dump(connection);
    assert.ok(first.length > 300);
    assert.deepEqual(await migrate({ connection, migrations, target: 0 }), {
      from: migrations.length,
      to: 0,
    });
    const left = (await dump(connection)).filter((line) => !line.includes("schema_migrations"));
    assert.deepEqual(left, []);
    await migrate({ connection, migrations });
    assert.deepEqual(await dump(connection), first);
  });

  it("every fixture belongs to a migration, every table of ours has a row after the fixtures", async (t) => {
    const connection = await newConnection(t, "empty");
    const migrations = await loadMigrations();
    const rows = await fixtures();
    for (const version of rows.keys()) assert.ok(migrations[version - 1], `fixture ${version}`);
    await migrate({
      connection,
      migrations,
      after: async (client, migration) => {
        await client.query(rows.get(migration.version) ?? "");
      },
    });
    const empty = await withClient(connection, async (client) => {
      const out: string[] = [];
      const { rows: tables } = await client.query<{ name: string }>(
        "SELECT relname::text AS name FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'",
      );
      for (const { name } of tables) {
        const { rowCount } = await client.query(`SELECT FROM ${pg.escapeIdentifier(name)} LIMIT 1`);
        if (rowCount === 0) out.push(name);
      }
      return out;
    });
    assert.deepEqual(empty, [], "node scripts/create-fixture.ts");
  });

  it("do not use an enum value in the transaction that adds it, and comment every table", async () => {
    for (const migration of await loadMigrations()) {
      const { up } = migration;
      for (const [, value] of up.matchAll(/ADD\s+VALUE\s+(?:IF\s+NOT\s+EXISTS\s+)?'([^']+)'/gi)) {
        const uses = up.split(`'${value}'`).length - 1;
        assert.equal(
          uses,
          1,
          `${migration.name}: '${value}' is used where it is added: PostgreSQL refuses that`,
        );
      }
      for (const [, table] of up.matchAll(/CREATE (?:UNLOGGED )?TABLE (\w+)/g)) {
        assert.match(up, new RegExp(`COMMENT ON TABLE ${table} IS`), `${migration.name}: what is ${table}?`);
      }
    }
  });
});

describe("migrate", () => {
  it("names the migration that fails, and leaves the version before it", async (t) => {
    const connection = await newConnection(t, "empty");
    const migrations = [m(1, "CREATE TABLE a (n int)"), m(2, "CREATE TABLE b (n int); SELECT wrong")];
    await assert.rejects(migrate({ connection, migrations }), /migration 2_m2\.up\.sql: column "wrong"/);
    const kept = [m(1, "CREATE TABLE a (n int)"), m(2, "CREATE TABLE b (n int)")];
    assert.deepEqual(await migrate({ connection, migrations: kept }), { from: 1, to: 2 });
  });

  it("refuses a database that is newer than the program, and one that stopped half way", async (t) => {
    const connection = await newConnection(t, "empty");
    await migrate({ connection, migrations: [m(1, "SELECT 1"), m(2, "SELECT 1")] });
    await assert.rejects(
      migrate({ connection, migrations: [m(1, "SELECT 1")] }),
      /version 2, newer than the 1/,
    );
    await withClient(connection, (client) => client.query("UPDATE schema_migrations SET dirty = true"));
    await assert.rejects(
      migrate({ connection, migrations: [m(1, "SELECT 1"), m(2, "SELECT 1")] }),
      /half way/,
    );
  });

  it("replicas that start together migrate once", async (t) => {
    const connection = await newConnection(t, "empty");
    const migrations = [m(1, "CREATE TABLE a (n int)"), m(2, "INSERT INTO a VALUES (1)")];
    await Promise.all([1, 2, 3].map(() => migrate({ connection, migrations })));
    const { rows } = await withClient(connection, (client) => client.query("SELECT n FROM a"));
    assert.equal(rows.length, 1);
  });
});

describe("loadMigrations", () => {
  async function load(t: TestContext, files: readonly string[]) {
    const dir = join(await tempDir(t), "migrations");
    await mkdir(dir);
    for (const file of files) await writeFile(join(dir, file), "SELECT 1");
    return loadMigrations(dir);
  }

  it("refuses gaps, doubles, missing halves and odd names", async (t) => {
    await assert.rejects(load(t, ["000002_b.up.sql", "000002_b.down.sql"]), /migration 1 is missing/);
    await assert.rejects(load(t, ["000001_a.up.sql"]), /needs \.up\.sql and \.down\.sql/);
    await assert.rejects(
      load(t, ["000001_a.up.sql", "000001_b.down.sql"]),
      /two migrations have number 000001/,
    );
    await assert.rejects(load(t, ["1_a.up.sql"]), /file name: received 1_a/);
  });
});

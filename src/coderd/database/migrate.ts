/**
 * Migrations: `migrations/NNNNNN_name.up.sql` with its `.down.sql`, each in a transaction of its own, under one
 * advisory lock. `schema_migrations` holds the version; a database newer than this program is refused, never changed.
 */
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import pg from "pg";
import { clientConfig, type PgConnection } from "./connection.ts";

export interface Migration {
  readonly version: number;
  readonly name: string;
  readonly up: string;
  readonly down: string;
}

export const migrationsDir = join(import.meta.dirname, "migrations");

/** The lock's key: any constant, the same in all releases. */
const lockKey = "7243390112";

export async function loadMigrations(dir = migrationsDir): Promise<Migration[]> {
  const found = new Map<number, { name: string; up?: string; down?: string }>();
  for (const file of (await readdir(dir)).toSorted()) {
    if (!file.endsWith(".sql")) continue;
    const [, number, name, direction] = /^(\d{6})_([a-z0-9_]+)\.(up|down)\.sql$/.exec(file) ?? [];
    if (number === undefined || name === undefined) throw new Error(`migration file name: received ${file}`);
    const version = Number(number);
    const entry = found.get(version) ?? { name };
    if (entry.name !== name) {
      throw new Error(`two migrations have number ${number}: ${entry.name} and ${name}`);
    }
    entry[direction === "up" ? "up" : "down"] = await readFile(join(dir, file), "utf8");
    found.set(version, entry);
  }
  return [...found.entries()]
    .toSorted(([a], [b]) => a - b)
    .map(([version, { name, up, down }], index) => {
      if (version !== index + 1) {
        throw new Error(`migration ${index + 1} is missing (found ${version}_${name})`);
      }
      if (up === undefined || down === undefined) {
        throw new Error(`migration ${version}_${name} needs .up.sql and .down.sql`);
      }
      return { version, name, up, down };
    });
}

export interface MigrateOptions {
  readonly connection: PgConnection | string;
  readonly migrations: readonly Migration[];
  /** Default: the newest. Lower than the database's version migrates down. */
  readonly target?: number;
  /** Runs in the transaction of each migration, after it: fixtures in tests. */
  readonly after?: (client: pg.Client, migration: Migration) => Promise<void>;
}

/** Gives the versions before and after. */
export async function migrate(options: MigrateOptions): Promise<{ from: number; to: number }> {
  const client = new pg.Client(clientConfig(options.connection));
  await client.connect();
  try {
    // Waits for another replica that migrates right now.
    await client.query(`SELECT pg_advisory_lock(${lockKey})`);
    return await migrateLocked(client, options);
  } finally {
    await client.end();
  }
}

async function migrateLocked(
  client: pg.Client,
  options: MigrateOptions,
): Promise<{ from: number; to: number }> {
  const { migrations } = options;
  const target = options.target ?? migrations.length;
  const from = await versionOf(client);
  if (from > migrations.length) {
    throw new Error(
      `the database has version ${from}, newer than the ${migrations.length} of this release: start the newer release`,
    );
  }
  const steps =
    target >= from
      ? migrations
          .slice(from, target)
          .map((migration) => ({ migration, sql: migration.up, to: migration.version }))
      : migrations
          .slice(target, from)
          .toReversed()
          .map((migration) => ({ migration, sql: migration.down, to: migration.version - 1 }));
  for (const { migration, sql, to } of steps) {
    await client.query("BEGIN");
    try {
      // A statement that waits for a lock blocks everybody behind it: give up early instead.
      await client.query("SET LOCAL lock_timeout = '10s'");
      await client.query(sql);
      if (target >= from) await options.after?.(client, migration);
      await client.query("DELETE FROM schema_migrations");
      await client.query("INSERT INTO schema_migrations (version, dirty) VALUES ($1, false)", [to]);
      await client.query("COMMIT");
    } catch (error) {
      await client.query("ROLLBACK").catch(() => {});
      const direction = target >= from ? "up" : "down";
      const why = error instanceof Error ? error.message : String(error);
      throw new Error(`migration ${migration.version}_${migration.name}.${direction}.sql: ${why}`, {
        cause: error,
      });
    }
  }
  return { from, to: target };
}

async function versionOf(client: pg.Client): Promise<number> {
  await client.query(
    "CREATE TABLE IF NOT EXISTS schema_migrations (version bigint PRIMARY KEY, dirty boolean NOT NULL)",
  );
  const { rows } = await client.query<{ version: string; dirty: boolean }>(
    "SELECT version, dirty FROM schema_migrations",
  );
  const row = rows[0];
  if (row?.dirty) {
    throw new Error(`a migration to version ${row.version} stopped half way: repair the database by hand`);
  }
  return row ? Number(row.version) : 0;
}

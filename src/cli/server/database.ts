/** The server's database: the one that a URL names, else one of our own. Migrated when this returns. */
import { join } from "node:path";
import { Database } from "#coderd/database/db.ts";
import { startEmbeddedPostgres } from "#coderd/database/embedded/embedded.ts";
import { loadMigrations, migrate } from "#coderd/database/migrate.ts";
import type { Clock } from "#quartz/clock.ts";
import type { Logger } from "#slog/slog.ts";

export interface DatabaseOptions {
  /** Empty: our own. */
  readonly url: string;
  readonly stateDir: string;
  readonly cacheDir: string;
  readonly maxConnections: number;
  readonly log: Logger;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

export interface OpenDatabase extends AsyncDisposable {
  readonly database: Database;
  /** What to tell the person. */
  readonly description: string;
}

export async function openDatabase(options: DatabaseOptions): Promise<OpenDatabase> {
  await using cleanup = new AsyncDisposableStack();
  const { log, clock, signal, stateDir, cacheDir } = options;
  let connection;
  let description = "external PostgreSQL";
  if (options.url === "") {
    const cache = join(cacheDir, "postgres");
    const own = await startEmbeddedPostgres({
      stateDir,
      cacheDir: cache,
      log: log.named("postgres"),
      clock,
      signal,
    });
    cleanup.use(own);
    connection = own.connection;
    description = `built-in PostgreSQL (${own.dataDir}${own.adopted ? ", found running" : ""})`;
  } else {
    connection = options.url;
  }
  // Opened first: it refuses a server that is too old before anything is changed.
  const database = await Database.open({
    connection,
    log: log.named("database"),
    clock,
    maxConnections: options.maxConnections,
  });
  cleanup.use(database);
  await migrate({ connection, migrations: await loadMigrations() });
  const owned = cleanup.move();
  return { database, description, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

/**
 * A database for a test:
 *
 *     const { store } = await newDb(t);
 *
 * One PostgreSQL per test process (cluster.ts), started by the first test that asks; one migrated template in it; each
 * call copies the template, which takes some 15 ms. The copy is dropped after the test, the server after the run.
 */
import { after, type TestContext } from "node:test";
import pg from "pg";
import { cryptoRand } from "#cryptorand/cryptorand.ts";
import { realClock } from "#quartz/clock.ts";
import { discardLogger, type Logger } from "#slog/slog.ts";
import { clientConfig, type PgConnection } from "../connection.ts";
import { Database, type Store } from "../db.ts";
import type { EmbeddedPostgres } from "../embedded/embedded.ts";
import { PgPubsub } from "../pubsub/pg-pubsub.ts";
import { startTestCluster } from "./cluster.ts";

export interface TestDb {
  readonly store: Store;
  readonly database: Database;
  readonly connection: PgConnection;
  /** For programs that take `CODER_PG_CONNECTION_URL`. */
  readonly url: string;
  /** What must end before the database does; last come, first ended. (Hooks of a test run first come, first.) */
  defer(fn: () => unknown): void;
}

export interface TestDbOptions {
  readonly log?: Logger;
  readonly maxConnections?: number;
}

interface Shared {
  readonly cluster: EmbeddedPostgres;
  readonly admin: pg.Pool;
}

// State of the test process, on purpose: a server per file would cost a second each.
let shared: Promise<Shared> | undefined;

async function startShared(): Promise<Shared> {
  const cluster = await startTestCluster();
  const admin = new pg.Pool({ ...clientConfig(cluster.connection), max: 2 });
  admin.on("error", () => {});
  return { cluster, admin };
}

after(async () => {
  if (!shared) return;
  const started = await shared.catch(() => undefined);
  if (!started) return;
  const { cluster, admin } = started;
  await admin.end();
  await cluster[Symbol.asyncDispose]();
});

/** A database of the test's own: migrated, or without any table. Whoever opens connections closes them first. */
export async function newConnection(
  t: TestContext,
  from: "migrated" | "empty" = "migrated",
): Promise<PgConnection> {
  const { connection, drop } = await create(from);
  t.after(drop);
  return connection;
}

/** A migrated database of the test's own, open. */
export async function newDb(t: TestContext, options: TestDbOptions = {}): Promise<TestDb> {
  const { connection, drop } = await create("migrated");
  const database = await Database.open({
    connection,
    log: options.log ?? discardLogger,
    clock: realClock,
    maxConnections: options.maxConnections ?? 5,
  });
  const deferred: (() => unknown)[] = [];
  t.after(async () => {
    for (const fn of deferred.toReversed()) await fn();
    await database[Symbol.asyncDispose]();
    await drop();
  });
  return {
    store: database.store,
    database,
    connection,
    url: urlOf(connection),
    defer: (fn) => void deferred.push(fn),
  };
}

/** The same with its pub/sub. */
export async function newDbWithPubsub(
  t: TestContext,
  options: TestDbOptions = {},
): Promise<TestDb & { readonly pubsub: PgPubsub }> {
  const db = await newDb(t, options);
  const log = options.log ?? discardLogger;
  const pubsub = await PgPubsub.start({ database: db.database, clock: realClock, log });
  db.defer(() => pubsub[Symbol.asyncDispose]());
  return { ...db, pubsub };
}

async function create(from: "migrated" | "empty") {
  shared ??= startShared();
  const { cluster, admin } = await shared;
  const name = `t_${cryptoRand.string(12, "abcdefghijklmnopqrstuvwxyz")}`;
  await admin.query(
    `CREATE DATABASE ${name} TEMPLATE ${from === "migrated" ? "migrated" : "template0"} STRATEGY file_copy`,
  );
  return {
    connection: { ...cluster.connection, database: name },
    drop: async () => {
      await admin.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
    },
  };
}

export function urlOf(connection: PgConnection): string {
  const host = encodeURIComponent(connection.host);
  return `postgres://${connection.user}@/${connection.database}?host=${host}&port=${connection.port}`;
}

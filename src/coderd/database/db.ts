/**
 * The database: one pool per process. Programs and tests open it; everybody else gets a `Store` (or `dbauthz`'s).
 *
 *     const rows = await store.getUsers({ status: ["active"] });
 *     await store.inTx({ isolation: "repeatable read" }, async (tx) => {
 *       const user = await tx.insertUser({ … });
 *       tx.afterCommit(() => pubsub.publish("user", user.id));   // never before the data
 *     });
 *
 * Promises: a statement goes out once and named (parsed once per connection); a transaction commits wholly or throws;
 * serialization failures are tried again; an aborted signal cancels the statement on the server. A store used wrongly
 * (outer store inside a transaction, transaction after its end) throws at once instead of deadlocking or losing writes.
 */
import pg from "pg";
import type { Clock } from "#quartz/clock.ts";
import type { Logger } from "#slog/slog.ts";
import { clientConfig, type PgConnection } from "./connection.ts";
import type { AllQueries } from "./gen/queries.gen.ts";
import type { MethodsOf, Query, QueryKind, ResultOf, RunOptions } from "./query.ts";
import { isInsideTx, PoolStore } from "./store.ts";

export type QueryMethods = MethodsOf<AllQueries>;
export type Isolation = "read committed" | "repeatable read" | "serializable";

export interface TxOptions {
  /** Default "read committed". */
  readonly isolation?: Isolation;
  readonly readOnly?: boolean;
  /** How often the function runs again after a serialization failure. Default 5 above "read committed", else 0. */
  readonly retries?: number;
  readonly signal?: AbortSignal | undefined;
}

export interface Store extends QueryMethods {
  /** What every method calls. */
  run<K extends QueryKind, Arg, Row>(
    query: Query<K, Arg, Row>,
    arg: Arg,
    options?: RunOptions,
  ): Promise<ResultOf<Query<K, Arg, Row>>>;
  /** Inside a transaction, joins it. The function may run more than once: keep effects in `afterCommit`. */
  inTx<T>(options: TxOptions, fn: (tx: Tx) => Promise<T>): Promise<T>;
}

export interface Tx extends Store {
  /** Runs in order once the transaction is durable; `inTx` waits for it; its errors are logged, not thrown. */
  afterCommit(fn: () => void | Promise<void>): void;
  /** Waits for the advisory lock of this name; held until the transaction ends. */
  lock(name: string): Promise<void>;
  /** False if another transaction holds it. */
  tryLock(name: string): Promise<boolean>;
}

export interface DatabaseOptions {
  /** A URL (`postgres://…`, `CODER_PG_CONNECTION_URL`) or where the built-in server listens. */
  readonly connection: PgConnection | string;
  readonly log: Logger;
  readonly clock: Clock;
  /** Connections of this process. Default 10. */
  readonly maxConnections?: number;
}

/** Oldest server that every query is prepared on in our tests. */
export const oldestServer = 15;

export class Database implements AsyncDisposable {
  readonly store: Store;
  readonly connection: PgConnection | string;
  readonly #pool: pg.Pool;

  private constructor(pool: pg.Pool, options: DatabaseOptions) {
    this.#pool = pool;
    this.connection = options.connection;
    this.store = new PoolStore({ pool, log: options.log, clock: options.clock });
  }

  /** Connects once, to refuse a server that is too old. The schema is `migrate`'s business. */
  static async open(options: DatabaseOptions): Promise<Database> {
    const pool = new pg.Pool({
      ...clientConfig(options.connection),
      pipeline: true,
      max: options.maxConnections ?? 10,
      idleTimeoutMillis: 30_000,
      allowExitOnIdle: false,
    });
    // An idle connection that breaks is replaced by the pool: nothing to do but say so.
    // The pool listens to idle connections only: one that breaks between two statements of a transaction would end the
    // process. Its next statement fails by itself.
    pool.on("connect", (client) => client.on("error", () => {}));
    pool.on("error", (error) => options.log.warn("a database connection broke", { error: error.message }));
    try {
      await checkServer(pool);
      return new Database(pool, options);
    } catch (error) {
      await pool.end();
      throw error;
    }
  }

  /** Numbers for metrics. */
  stats(): { readonly open: number; readonly idle: number; readonly waiting: number } {
    return { open: this.#pool.totalCount, idle: this.#pool.idleCount, waiting: this.#pool.waitingCount };
  }

  /** NOTIFY, for pubsub/. Throws inside a transaction: the message would precede its data. */
  async notify(channel: string, payload: string): Promise<void> {
    if (isInsideTx()) {
      throw new Error(`a message on ${channel} inside a transaction: publish in tx.afterCommit`);
    }
    await this.#pool.query({ name: "notify", text: "SELECT pg_notify($1, $2)", values: [channel, payload] });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#pool.end();
  }
}

async function checkServer(pool: pg.Pool): Promise<void> {
  const { rows } = await pool.query<{ version: string }>(
    "SELECT current_setting('server_version') AS version",
  );
  requireVersion(rows[0]?.version ?? "");
}

/** `version` as the server says it: "15.4", "18beta1". */
export function requireVersion(version: string): void {
  if (!(Number.parseInt(version, 10) >= oldestServer)) {
    throw new Error(`PostgreSQL ${oldestServer} or newer is needed: the server is ${version}`);
  }
}

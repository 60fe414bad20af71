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
import { AsyncLocalStorage } from "node:async_hooks";
import pg from "pg";
import type { Clock } from "#quartz/clock.ts";
import type { Logger } from "#slog/slog.ts";
import { clientConfig, type PgConnection } from "./connection.ts";
import { isSerializationFailure } from "./errors.ts";
import { type AllQueries, queries } from "./gen/queries.gen.ts";
import type { AnyQuery, MethodsOf, Query, QueryKind, ResultOf, RunOptions } from "./query.ts";
import { cancelling, type Client, execute } from "./run.ts";

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
    if (inside.getStore()?.open) {
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

interface Parts {
  readonly pool: pg.Pool;
  readonly log: Logger;
  readonly clock: Clock;
}

/** Which transaction the running code is inside of: only to catch mistakes, never to find a store. */
const inside = new AsyncLocalStorage<{ open: boolean }>();

// The query methods are put on the prototype below; the two declarations merge.
// oxlint-disable-next-line typescript/no-unsafe-declaration-merging -- the loop below defines exactly those methods
interface StoreMethods extends QueryMethods {}
abstract class StoreMethods {
  abstract run<K extends QueryKind, Arg, Row>(
    query: Query<K, Arg, Row>,
    arg: Arg,
    options?: RunOptions,
  ): Promise<ResultOf<Query<K, Arg, Row>>>;
}

for (const [name, query] of Object.entries<AnyQuery>(queries)) {
  Object.defineProperty(StoreMethods.prototype, name, {
    value(this: StoreMethods, arg: never, options?: RunOptions) {
      return this.run(query, arg, options);
    },
  });
}

class PoolStore extends StoreMethods implements Store {
  readonly #parts: Parts;
  constructor(parts: Parts) {
    super();
    this.#parts = parts;
  }

  async run<K extends QueryKind, Arg, Row>(
    query: Query<K, Arg, Row>,
    arg: Arg,
    options: RunOptions = {},
  ): Promise<ResultOf<Query<K, Arg, Row>>> {
    if (inside.getStore()?.open) {
      throw new Error(`${query.name}: the outer store is used inside a transaction; use tx`);
    }
    options.signal?.throwIfAborted();
    const { pool } = this.#parts;
    const client = await pool.connect();
    try {
      return await cancelling(pool, client, options.signal, () => execute(client, query, arg, options));
    } finally {
      client.release();
    }
  }

  async inTx<T>(options: TxOptions, fn: (tx: Tx) => Promise<T>): Promise<T> {
    if (inside.getStore()?.open) throw new Error("inTx of the outer store inside a transaction; use tx.inTx");
    const retries = options.retries ?? ((options.isolation ?? "read committed") === "read committed" ? 0 : 5);
    for (let attempt = 0; ; attempt++) {
      options.signal?.throwIfAborted();
      try {
        return await this.#once(options, fn);
      } catch (error) {
        if (attempt >= retries || !isSerializationFailure(error)) throw error;
        await this.#parts.clock.sleep(2 ** attempt, { signal: options.signal, tag: "tx-retry" });
      }
    }
  }

  async #once<T>(options: TxOptions, fn: (tx: Tx) => Promise<T>): Promise<T> {
    const { pool, log } = this.#parts;
    const client = await pool.connect();
    const tx = new TxStore(pool, client, options);
    let broken = false;
    let result: T;
    try {
      const begun = client.query(beginText(options));
      begun.catch(() => {});
      result = await inside.run(tx.state, () => fn(tx));
      await begun;
      tx.state.open = false;
      // PostgreSQL answers ROLLBACK to the COMMIT of a transaction in which a statement failed.
      const { command } = await client.query("COMMIT");
      if (command !== "COMMIT") {
        throw new Error("the transaction was rolled back: a statement in it had failed");
      }
    } catch (error) {
      tx.state.open = false;
      await client.query("ROLLBACK").catch(() => (broken = true));
      throw error;
    } finally {
      client.release(broken);
    }
    for (const callback of tx.callbacks) {
      try {
        await callback();
      } catch (error) {
        log.error("after commit", { error });
      }
    }
    return result;
  }
}

function beginText(options: TxOptions): string {
  const isolation = (options.isolation ?? "read committed").toUpperCase();
  return `BEGIN ISOLATION LEVEL ${isolation}${options.readOnly ? " READ ONLY" : ""}`;
}

const strength: Readonly<Record<Isolation, number>> = {
  "read committed": 0,
  "repeatable read": 1,
  serializable: 2,
};

class TxStore extends StoreMethods implements Tx {
  readonly state = { open: true };
  readonly callbacks: (() => void | Promise<void>)[] = [];
  readonly #pool: pg.Pool;
  readonly #client: Client;
  readonly #options: TxOptions;

  constructor(pool: pg.Pool, client: Client, options: TxOptions) {
    super();
    this.#pool = pool;
    this.#client = client;
    this.#options = options;
  }

  async run<K extends QueryKind, Arg, Row>(
    query: Query<K, Arg, Row>,
    arg: Arg,
    options: RunOptions = {},
  ): Promise<ResultOf<Query<K, Arg, Row>>> {
    this.#check(query.name);
    const signal = options.signal ?? this.#options.signal;
    signal?.throwIfAborted();
    return cancelling(this.#pool, this.#client, signal, () => execute(this.#client, query, arg, options));
  }

  async inTx<T>(options: TxOptions, fn: (tx: Tx) => Promise<T>): Promise<T> {
    this.#check("inTx");
    const [outer, wanted] = [
      this.#options.isolation ?? "read committed",
      options.isolation ?? "read committed",
    ];
    if (strength[wanted] > strength[outer]) {
      throw new Error(`inTx "${wanted}" inside a transaction that is "${outer}"`);
    }
    return fn(this);
  }

  afterCommit(fn: () => void | Promise<void>): void {
    this.#check("afterCommit");
    this.callbacks.push(fn);
  }

  async lock(name: string): Promise<void> {
    this.#check("lock");
    await this.#client.query("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", [name]);
  }

  async tryLock(name: string): Promise<boolean> {
    this.#check("tryLock");
    const text = "SELECT pg_try_advisory_xact_lock(hashtextextended($1, 0)) AS held";
    const { rows } = await this.#client.query<{ held: boolean }>(text, [name]);
    return rows[0]?.held === true;
  }

  #check(what: string): void {
    if (!this.state.open) throw new Error(`${what}: the transaction has ended`);
  }
}

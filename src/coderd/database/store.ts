/** The two stores behind db.ts: one that takes a connection per statement, one that holds a transaction's. */
import { AsyncLocalStorage } from "node:async_hooks";
import type pg from "pg";
import type { Clock } from "#quartz/clock.ts";
import type { Logger } from "#slog/slog.ts";
import type { Isolation, QueryMethods, Store, Tx, TxOptions } from "./db.ts";
import { isSerializationFailure, isUnreachable } from "./errors.ts";
import { queries } from "./gen/queries.gen.ts";
import type { AnyQuery, Query, QueryKind, ResultOf, RunOptions } from "./query.ts";
import { cancelling, type Client, execute } from "./run.ts";

export interface Parts {
  readonly pool: pg.Pool;
  readonly log: Logger;
  readonly clock: Clock;
}

/** Which transaction the running code is inside of: only to catch mistakes, never to find a store. */
const inside = new AsyncLocalStorage<{ open: boolean }>();

export function isInsideTx(): boolean {
  return inside.getStore()?.open === true;
}

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

export class PoolStore extends StoreMethods implements Store {
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
    if (isInsideTx()) {
      throw new Error(`${query.name}: the outer store is used inside a transaction; use tx`);
    }
    options.signal?.throwIfAborted();
    const { pool } = this.#parts;
    const client = await connect(this.#parts, options.signal);
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
    const client = await connect(this.#parts, options.signal);
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

/** How long callers wait for a database that restarts (ours is back within a second). */
const patienceMs = 5_000;

/** A connection from the pool. Nothing has been sent yet, so waiting for a server that is away is safe. */
async function connect({ pool, clock }: Parts, signal: AbortSignal | undefined): Promise<Client> {
  for (let waited = 0; ;) {
    signal?.throwIfAborted();
    try {
      return await pool.connect();
    } catch (error) {
      if (waited >= patienceMs || !isUnreachable(error)) throw error;
      const ms = Math.min(10 + waited, 250);
      await clock.sleep(ms, { signal, tag: "db-connect" });
      waited += ms;
    }
  }
}

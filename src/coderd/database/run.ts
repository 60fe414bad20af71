/** Sends one query over one connection and reads its answer. Only db.ts calls this. */
import { createHash } from "node:crypto";
import type pg from "pg";
import { type DecodeRow, encode, encodeArgs, type RawRow, rowDecoder } from "./codec.ts";
import { NoRows } from "./errors.ts";
import {
  filterMark,
  type Query,
  type QueryKind,
  type ResultOf,
  type RunOptions,
  type SqlFilter,
} from "./query.ts";
import { sendStatement, type StatementText } from "./statement.ts";

export type Client = pg.PoolClient;

const decoders = new WeakMap<object, DecodeRow>();

export async function execute<K extends QueryKind, Arg, Row>(
  client: Client,
  query: Query<K, Arg, Row>,
  arg: Arg,
  options: RunOptions,
): Promise<ResultOf<Query<K, Arg, Row>>> {
  const values = encodeArgs(query, toRecord(arg));
  const statement = spliced(query, options.filter, values);
  const { rows, count } = await sendStatement(client, statement, values);
  return outcome(query, rows, count) as ResultOf<Query<K, Arg, Row>>;
}

function toRecord(arg: unknown): Readonly<Record<string, unknown>> {
  return typeof arg === "object" && arg !== null ? { ...arg } : {};
}

function outcome(query: Query, rows: readonly RawRow[], count: number): unknown {
  if (query.kind === "exec") return undefined;
  if (query.kind === "execrows") return count;
  const decode = decoderOf(query);
  if (query.kind === "many") return rows.map(decode);
  const first = rows[0];
  if (first !== undefined) return decode(first);
  if (query.kind === "one") throw new NoRows(query.name);
  return undefined;
}

function decoderOf(query: Query): DecodeRow {
  let decode = decoders.get(query);
  if (!decode) {
    decode = rowDecoder(query.columns ?? {});
    decoders.set(query, decode);
  }
  return decode;
}

/** Puts the filter in its place, its parameters after the query's own; the statement's name follows its text. */
function spliced(query: Query, filter: SqlFilter | undefined, values: unknown[]): StatementText {
  if (!query.filter) {
    if (filter) throw new Error(`${query.name} has no place for a filter`);
    return { name: query.name, text: query.sql };
  }
  if (!filter) return { name: query.name, text: query.sql.replace(filterMark, "") };
  const condition = filter.text.replace(/\$(\d+)/g, (_, n: string) => `$${Number(n) + query.params.length}`);
  values.push(...filter.values.map(encode));
  const name = `${query.name}_${createHash("sha1").update(filter.text).digest("hex").slice(0, 12)}`;
  return { name, text: query.sql.replace(filterMark, () => `AND (${condition})`) };
}

/**
 * Runs the statement; if the signal aborts meanwhile, asks the server to cancel it. The connection is not given back
 * before that request was answered, so that it cannot hit somebody else's statement.
 */
export async function cancelling<T>(
  pool: pg.Pool,
  client: Client,
  signal: AbortSignal | undefined,
  send: () => Promise<T>,
): Promise<T> {
  if (!signal) return send();
  signal.throwIfAborted();
  let done = false;
  let cancelled: Promise<void> | undefined;
  const onAbort = (): void => {
    cancelled = cancelUntil(pool, client, () => done);
  };
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    return await send();
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  } finally {
    done = true;
    signal.removeEventListener("abort", onAbort);
    await cancelled;
  }
}

/** Again and again: a request that arrives before its statement has begun is lost. */
async function cancelUntil(pool: pg.Pool, client: Client, done: () => boolean): Promise<void> {
  const pid = "processID" in client ? Number(client.processID) : 0;
  while (!done()) {
    const asked = await pool
      .query("SELECT pg_cancel_backend($1), pg_sleep(0.02)", [pid])
      .catch(() => undefined);
    if (!asked) return;
  }
}

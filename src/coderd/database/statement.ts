/**
 * One named statement on its way through the driver. The generator wrote down what comes back, so the server is not asked
 * to describe it (the driver would ask each time, and read the description of every column), and rows stay PostgreSQL's
 * text until codec.ts takes them. Used by run.ts only.
 */
import pg from "pg";
import type { RawRow } from "./codec.ts";

export interface StatementText {
  /** One name, one text: each connection parses it once. */
  readonly name: string;
  readonly text: string;
}

export interface RawResult {
  readonly rows: readonly RawRow[];
  /** Rows that came or were changed. */
  readonly count: number;
}

/** The driver takes only its own class where statements may follow each other without waiting. */
class Statement extends pg.Query {
  readonly found: RawRow[] = [];
  readonly name: string;

  constructor(
    { name, text }: StatementText,
    values: unknown[],
    done: (error?: Error, count?: number) => void,
  ) {
    super(text, values, (error, result) => done(error, result?.rowCount ?? 0));
    this.name = name;
    const { submit } = this;
    this.submit = (connection) => submit.call(this, withoutDescribe(connection));
  }

  /** In place of the driver's, which makes objects by the description. */
  handleDataRow(message: { readonly fields: RawRow }): void {
    this.found.push(message.fields);
  }
}

const quiet = new WeakMap<pg.Connection, pg.Connection>();

/** The same connection, deaf to `describe`. */
function withoutDescribe(connection: pg.Connection): pg.Connection {
  let made = quiet.get(connection);
  if (made === undefined) {
    made = Object.create(connection, { describe: { value: () => {} } }) as pg.Connection;
    quiet.set(connection, made);
  }
  return made;
}

export async function sendStatement(
  client: pg.PoolClient,
  statement: StatementText,
  values: unknown[],
): Promise<RawResult> {
  try {
    return await new Promise<RawResult>((resolve, reject) => {
      const sent = new Statement(statement, values, (error, count = 0) =>
        error ? reject(error) : resolve({ rows: sent.found, count }),
      );
      client.query(sent);
    });
  } catch (error) {
    // Its stack ends in the socket; who asked is what helps.
    if (error instanceof Error) Error.captureStackTrace(error);
    throw error;
  }
}

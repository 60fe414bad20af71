/** What callers can tell apart about a failed query. Everything else is a plain error of the driver. */

/** A `:one` query found nothing. `dbauthz` turns it into "not found". */
export class NoRows extends Error {
  override readonly name = "NoRows";
  readonly query: string;
  constructor(query: string) {
    super(`${query}: no rows`);
    this.query = query;
  }
}

/** The SQLSTATE of PostgreSQL's error, if it is one. */
export function sqlState(error: unknown): string | undefined {
  if (!(error instanceof Error) || !("code" in error) || typeof error.code !== "string") return undefined;
  return /^[0-9A-Z]{5}$/.test(error.code) ? error.code : undefined;
}

/** Name of the constraint or unique index that an error is about. */
export function violatedConstraint(error: unknown): string | undefined {
  if (!(error instanceof Error) || !("constraint" in error)) return undefined;
  return typeof error.constraint === "string" ? error.constraint : undefined;
}

function violates(error: unknown, state: string, constraint: string | undefined): boolean {
  return sqlState(error) === state && (constraint === undefined || violatedConstraint(error) === constraint);
}

/** `constraint` is the name of the unique constraint or index, e.g. `users_username_lower_idx`. */
export function isUniqueViolation(error: unknown, constraint?: string): boolean {
  return violates(error, "23505", constraint);
}

export function isForeignKeyViolation(error: unknown, constraint?: string): boolean {
  return violates(error, "23503", constraint);
}

export function isCheckViolation(error: unknown, constraint?: string): boolean {
  return violates(error, "23514", constraint);
}

/** Two transactions crossed (serialization failure or deadlock): run the whole transaction again. */
export function isSerializationFailure(error: unknown): boolean {
  const state = sqlState(error);
  return state === "40001" || state === "40P01";
}

/** The server is away or starting: a connection could not be made, so nothing was sent. */
export function isUnreachable(error: unknown): boolean {
  if (!(error instanceof Error) || !("code" in error)) return false;
  return ["ECONNREFUSED", "ECONNRESET", "ENOENT", "57P01", "57P03"].includes(String(error.code));
}

/** The server went away under a statement: whether it was done is not known. */
export function isConnectionLost(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return /^Connection terminated|^Client has encountered a connection error/.test(error.message);
}

/** A write did not find room: on the disk that holds the database, or in a quota. */
export function isDiskFull(error: unknown): boolean {
  return sqlState(error) === "53100";
}

/** The server has no memory or connections left for this one. */
export function isExhausted(error: unknown): boolean {
  return sqlState(error)?.startsWith("53") === true;
}

/** How every connection of ours is opened, whoever opens it. */
import type pg from "pg";

/** A Unix socket's folder (or host), as the built-in server gives it. */
export interface PgConnection {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly database: string;
}

/** Text formats are fixed here, because codec.ts reads them. A string is a `postgres://` URL. */
export function clientConfig(connection: PgConnection | string): pg.ClientConfig {
  const where = typeof connection === "string" ? { connectionString: connection } : { ...connection };
  return {
    ...where,
    application_name: "coder",
    options: "-c TimeZone=UTC -c DateStyle=ISO -c IntervalStyle=iso_8601",
  };
}

/**
 * Structured logs: a constant message and fields. Programs log through pino (`pinoLogger`); libraries take a `Logger`.
 * Fields are never interpolated into the message, and known secret names are cut by the writer.
 */
import { pino, type DestinationStream, type Logger as Pino } from "pino";

export type Fields = Readonly<Record<string, unknown>>;
export type Level = "debug" | "info" | "warn" | "error";

export interface Logger {
  debug(message: string, fields?: Fields): void;
  info(message: string, fields?: Fields): void;
  warn(message: string, fields?: Fields): void;
  error(message: string, fields?: Fields): void;
  /** A logger below this one: names join with a dot. */
  named(name: string): Logger;
  /** A logger that adds these fields to each line. */
  with(fields: Fields): Logger;
}

/** Keys whose values never reach a log, at the top level or one below. */
const secretKeys = ["token", "password", "secret", "session_token", "authorization", "cookie", "key_secret"];

export interface PinoOptions {
  readonly level?: Level;
  readonly destination?: DestinationStream;
}

export function pinoLogger(options: PinoOptions = {}): Logger {
  const root = pino(
    {
      level: options.level ?? "info",
      base: null,
      redact: { paths: [...secretKeys, ...secretKeys.map((key) => `*.${key}`)], censor: "[cut]" },
      serializers: { error: pino.stdSerializers.err },
    },
    options.destination ?? pino.destination(2),
  );
  return wrap(root, "");
}

function wrap(log: Pino, name: string): Logger {
  return {
    debug: (message, fields = {}) => log.debug(fields, message),
    info: (message, fields = {}) => log.info(fields, message),
    warn: (message, fields = {}) => log.warn(fields, message),
    error: (message, fields = {}) => log.error(fields, message),
    named: (inner) => {
      const full = name === "" ? inner : `${name}.${inner}`;
      return wrap(log.child({ logger: full }), full);
    },
    with: (fields) => wrap(log.child(fields), name),
  };
}

const nothing = (): void => {};

/** Drops everything. */
export const discardLogger: Logger = {
  debug: nothing,
  info: nothing,
  warn: nothing,
  error: nothing,
  named: () => discardLogger,
  with: () => discardLogger,
};

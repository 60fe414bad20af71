/** Errors → responses; the only place that knows how a thrown thing looks to an HTTP client. */
import { encode } from "#codersdk/wire-encode.ts";
import { Response } from "#codersdk/response.ts";
import { isConnectionLost, isDiskFull, isExhausted, isUnreachable } from "../database/errors.ts";
import { ApiError, Unavailable } from "../errors.ts";

/** A plain-text answer, for the few errors that are not JSON. */
export class TextError extends ApiError {}

/** A 303 instead of an error. */
export class Redirect extends ApiError {
  constructor(location: string) {
    super(303, "Redirect", "Please sign in.", { headers: { location } });
  }
}

export interface ErrorResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** Without the newline at the end. */
  readonly text: string;
}

export const jsonType = "application/json; charset=utf-8";

/** Anything that is no `ApiError` is a fault of ours: 500, and its reason stays in the log. */
export function errorResponse(thrown: unknown): ErrorResponse {
  const error = databaseFault(thrown) ?? thrown;
  if (error instanceof ApiError) {
    return {
      status: error.status,
      headers: error.headers,
      text: encode(Response, {
        message: error.message,
        detail: error.detail,
        validations: error.validations,
      }),
    };
  }
  const status = clientFault(error);
  if (status !== undefined) {
    const message = status === 413 ? "The request body is too large." : "The request is not valid HTTP.";
    return { status, headers: {}, text: encode(Response, { message }) };
  }
  return {
    status: 500,
    headers: {},
    text: encode(Response, { message: "An internal server error occurred." }),
  };
}

/** Status of an error that the HTTP engine found in the request itself. */
function clientFault(error: unknown): number | undefined {
  if (!(error instanceof Error) || !("statusCode" in error)) return undefined;
  const { statusCode } = error;
  return typeof statusCode === "number" && statusCode >= 400 && statusCode < 500 ? statusCode : undefined;
}

/** What the operator can do something about, and what passes: people should not be sent to report a bug. */
function databaseFault(error: unknown): ApiError | undefined {
  if (isDiskFull(error)) {
    return new Unavailable(
      "The disk that holds the database is full. Nothing was changed; free some space on it.",
    );
  }
  if (isExhausted(error)) return new Unavailable("The database is out of resources. Try again in a moment.");
  if (isUnreachable(error) || isConnectionLost(error)) {
    return new Unavailable(
      "The database cannot be reached. Try again in a moment; the server's log says why.",
    );
  }
  return undefined;
}

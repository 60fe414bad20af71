/**
 * What can go wrong for a reason that the caller may know. Thrown by the database's authorization, by services and by
 * handlers; mapped to HTTP once (httpapi/error-response.ts) and to the command line once. Everything else that is
 * thrown is a bug or a fault and answers 500 without detail.
 */
import type { ValidationError } from "#codersdk/response.ts";

export interface ErrorOptions {
  /** Technical reason, shown by clients on request only. */
  readonly detail?: string;
  readonly validations?: readonly ValidationError[];
  /** Response headers, lower case. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly cause?: unknown;
}

/** `message` is a proper sentence for people. `code` is stable; `status` is what HTTP answers. */
export class ApiError extends Error {
  readonly status: number;
  readonly code: string;
  readonly detail: string | undefined;
  readonly validations: readonly ValidationError[];
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: number, code: string, message: string, options: ErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = code;
    this.status = status;
    this.code = code;
    this.detail = options.detail;
    this.validations = options.validations ?? [];
    this.headers = options.headers ?? {};
  }
}

/** Stock clients match this text; it is the same for unknown and for unreadable. */
export const notFoundMessage = "Resource not found or you do not have access to this resource";

export class NotFound extends ApiError {
  constructor(message: string = notFoundMessage, options: ErrorOptions = {}) {
    super(404, "NotFound", message, options);
  }
}

/** The caller may see the thing but not do this. */
export class Forbidden extends ApiError {
  constructor(message = "You are not allowed to do this.", options: ErrorOptions = {}) {
    super(403, "Forbidden", message, options);
  }
}

/** Bad input, or a state in which the wish makes no sense. */
export class Invalid extends ApiError {
  constructor(message: string, options: ErrorOptions = {}) {
    super(400, "Invalid", message, options);
  }
}

export class Conflict extends ApiError {
  constructor(message: string, options: ErrorOptions = {}) {
    super(409, "Conflict", message, options);
  }
}

/** No session, or one that is over. Never for a permission problem: clients start their sign-in flow on 401. */
export class Unauthorized extends ApiError {
  constructor(message: string, options: ErrorOptions = {}) {
    super(401, "Unauthorized", message, options);
  }
}

/** Try again later. */
export class Unavailable extends ApiError {
  constructor(message: string, options: ErrorOptions = {}) {
    super(503, "Unavailable", message, options);
  }
}

/** One failing field; `field` is its JSON name. */
export function invalidField(message: string, field: string, detail: string): Invalid {
  return new Invalid(message, { validations: [{ field, detail }] });
}

/** How a command ends badly: what is printed, and the exit status. */

/** Ends with this status; prints the message if there is one. */
export class ExitError extends Error {
  override readonly name = "ExitError";
  readonly status: number;
  constructor(status: number, message = "") {
    super(message);
    this.status = status;
  }
}

/** A mistake or state that the user can act on: one line, no report hint. */
export class UserError extends Error {
  override readonly name = "UserError";
}

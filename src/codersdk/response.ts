/** The body of every error, and of answers that are only a message. */
import * as w from "./wire.ts";

export const ValidationError = w.struct("ValidationError", {
  field: w.string("required"),
  detail: w.string("required"),
});
export type ValidationError = Readonly<w.Infer<typeof ValidationError>>;

export const Response = w.struct("Response", {
  message: w.string(),
  detail: w.omit(w.string()),
  validations: w.omit(w.list(ValidationError)),
});
export type Response = Readonly<w.Infer<typeof Response>>;

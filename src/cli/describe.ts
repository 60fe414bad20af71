/** Errors as people read them on stderr. Apart from main.ts, which loads it only when something fails. */
import { ClientError } from "#codersdk/client.ts";
import { UsageError } from "#serpent/resolve.ts";
import { UserError } from "./errors.ts";

/** Mistakes are one line; what nobody expected carries its stack with `--verbose`, and always its causes. */
export function describe(error: unknown, verbose: boolean): string {
  if (!(error instanceof Error)) return String(error);
  if (error instanceof UsageError || error instanceof UserError) return error.message;
  if (error instanceof ClientError) return describeAnswer(error, verbose);
  if (isUnreachable(error)) return `cannot reach the server: ${reasonOf(error)}`;
  const lines = [error.message || error.name];
  for (let cause = error.cause; cause instanceof Error; cause = cause.cause) {
    lines.push(`  because: ${cause.message || cause.name}`);
  }
  if (verbose && error.stack) lines.push(error.stack);
  return lines.join("\n");
}

/** What a server answered: its message, the fields it refuses, what to do, and the detail where nothing else helps. */
function describeAnswer(error: ClientError, verbose: boolean): string {
  const lines: string[] = [];
  if (verbose) lines.push(`API request error to "${error.method}:${error.url}". Status code ${error.status}`);
  lines.push(error.message);
  if (error.validations.length > 0) {
    lines.push(`${error.validations.length} validation error(s) found`);
    lines.push(...error.validations.map(({ field, detail }) => `\t ${field} : ${detail}`));
  }
  const help = error.status === 401 ? "Try logging in using 'coder login'." : undefined;
  if (help !== undefined) lines.push(`Suggestion: ${help}`);
  if (error.detail && (help === undefined || verbose)) lines.push(error.detail);
  return lines.join("\n");
}

/** `fetch` failed before any answer came: its own message says nothing, its cause does. */
const isUnreachable = (error: Error): boolean =>
  error instanceof TypeError && error.message === "fetch failed";

function reasonOf(error: Error): string {
  const { cause } = error;
  if (cause instanceof AggregateError) {
    return cause.errors.map((one: unknown) => (one instanceof Error ? one.message : String(one))).join(", ");
  }
  return cause instanceof Error ? cause.message : "unknown reason";
}

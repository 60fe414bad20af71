/** Runs one command line of a program (root.ts, slim.ts) and turns whatever happens into an exit status and, on stderr, what the person needs to read. */
import { ClientError } from "#codersdk/client.ts";
import { type Command, CommandError, run, type World } from "#serpent/command.ts";
import { UsageError } from "#serpent/resolve.ts";
import { Canceled } from "./cliui/prompt.ts";
import { ExitError, UserError } from "./errors.ts";

/** Resolves to the exit status: 0 success, 1 error, or what an `ExitError` says (the remote status of ssh). */
export async function main(argv: readonly string[], world: World, program: Command): Promise<number> {
  try {
    await run(program, argv, world);
    return 0;
  } catch (error) {
    const cause = error instanceof CommandError ? error.cause : error;
    if (cause instanceof ExitError) {
      if (cause.message !== "") world.stderr.write(`${cause.message}\n`);
      return cause.status;
    }
    if (cause instanceof Canceled || (world.signal.aborted && isAbort(cause))) return 1;
    const verbose = argv.includes("--verbose") || argv.includes("-v");
    if (error instanceof CommandError) {
      world.stderr.write(
        `Encountered an error running "${error.command}", see "${error.command} --help" for more information\n`,
      );
    }
    world.stderr.write(`error: ${describe(cause, verbose)}\n`);
    return 1;
  }
}

const isAbort = (error: unknown): boolean => error instanceof Error && error.name === "AbortError";

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

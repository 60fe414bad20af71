/** Runs one command line and turns whatever happens into an exit status and, on stderr, what the person needs to read. */
import { CommandError, run, type World } from "#serpent/command.ts";
import { UsageError } from "#serpent/resolve.ts";
import { Canceled } from "./cliui/prompt.ts";
import { ExitError, UserError } from "./errors.ts";
import { root } from "./root.ts";

/** Resolves to the exit status: 0 success, 1 error, or what an `ExitError` says (the remote status of ssh). */
export async function main(argv: readonly string[], world: World): Promise<number> {
  try {
    await run(root, argv, world);
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
  const lines = [error.message || error.name];
  for (let cause = error.cause; cause instanceof Error; cause = cause.cause) {
    lines.push(`  because: ${cause.message || cause.name}`);
  }
  if (verbose && error.stack) lines.push(error.stack);
  return lines.join("\n");
}

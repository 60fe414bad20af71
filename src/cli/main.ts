/** Runs one command line of a program (root.ts, slim.ts) and turns whatever happens into an exit status and, on stderr, what the person needs to read. */
import { type Command, CommandError, run, type World } from "#serpent/command.ts";
import { printable } from "./cliui/table.ts";
import { Canceled } from "./cliui/prompt.ts";
import { ExitError } from "./errors.ts";

/** Resolves to the exit status: 0 success, 1 error, or what an `ExitError` says (the remote status of ssh). */
export async function main(argv: readonly string[], world: World, program: Command): Promise<number> {
  if (world.env["COMPLETION_MODE"] === "1") {
    const { complete } = await import("#serpent/complete.ts");
    for (const one of await complete(program, argv, world)) world.stdout.write(`${printable(one)}\n`);
    return 0;
  }
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
    const { describe } = await import("./describe.ts");
    world.stderr.write(`error: ${describe(cause, verbose)}\n`);
    return 1;
  }
}

const isAbort = (error: unknown): boolean => error instanceof Error && error.name === "AbortError";

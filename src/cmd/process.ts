/** A command line as a process: its streams, its signals, its exit status. */
import { isSea } from "node:sea";
import { cryptoRand } from "#cryptorand/cryptorand.ts";
import { main } from "#cli/main.ts";
import { ownProgram } from "#cli/program.ts";
import type { Command } from "#serpent/command.ts";
import { realClock } from "#quartz/clock.ts";

/** Never returns: ends the process with the command's status. */
export async function runProcess(program: Command): Promise<never> {
  const stop = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.once(signal, () => stop.abort(new DOMException(signal, "AbortError")));
  }
  // A reader that went away (`coder list | head`) is no error of ours.
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
  });

  // A command ends when it says so, not when all that it waits for happens to be timers that keep no process alive: an ssh
  // session whose server is restarting has nothing else.
  realClock.timer(2 ** 31 - 1, () => {});
  const world = {
    env: process.env,
    stdin: process.stdin,
    stdout: process.stdout,
    stderr: process.stderr,
    signal: stop.signal,
    clock: realClock,
    rand: cryptoRand,
    cwd: process.cwd(),
    program: ownProgram({
      argv: process.argv,
      argv0: process.argv0,
      execPath: process.execPath,
      release: isSea(),
    }),
  };
  const status = await main(process.argv.slice(2), world, program);
  // What a command leaves open (a prompt's input, a pooled connection) must not keep the process.
  process.exit(status);
}

/** `npm start`: the server of this clone, set up and proved. */
import { dirname, extname, join, resolve } from "node:path";
import { describe } from "#cli/describe.ts";
import { startClone } from "#cli/firststart/start.ts";
import { cryptoRand } from "#cryptorand/cryptorand.ts";
import { realClock } from "#quartz/clock.ts";

const stop = new AbortController();
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  process.once(signal, () => stop.abort(new DOMException(signal, "AbortError")));
}

// Beside this program lies `coder`, in the sources as in a bundle.
const self = process.argv[1] ?? "";
const coder = [process.execPath, ...process.execArgv, join(dirname(self), `coder${extname(self)}`)];

let status = 0;
try {
  await startClone({
    root: resolve(import.meta.dirname, "../.."),
    coder,
    world: {
      env: process.env,
      stdin: process.stdin,
      stdout: process.stdout,
      stderr: process.stderr,
      signal: stop.signal,
      clock: realClock,
      rand: cryptoRand,
      cwd: process.cwd(),
    },
  });
} catch (error) {
  if (!stop.signal.aborted) {
    process.stderr.write(`error: ${describe(error, false)}\n`);
    status = 1;
  }
}
process.exit(status);

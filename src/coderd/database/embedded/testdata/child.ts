/** A program that runs the built-in server until it is killed: `node child.ts '{"stateDir": …}'`; prints its pid. */
import { realClock } from "#quartz/clock.ts";
import { discardLogger } from "#slog/slog.ts";
import { startEmbeddedPostgres } from "../embedded.ts";

const options: unknown = JSON.parse(process.argv[2] ?? "{}");
if (typeof options !== "object" || options === null || !("stateDir" in options) || !("cacheDir" in options)) {
  throw new Error("stateDir and cacheDir are missing");
}
const server = await startEmbeddedPostgres({
  ...options,
  stateDir: String(options.stateDir),
  cacheDir: String(options.cacheDir),
  clock: realClock,
  log: discardLogger,
});
process.stdout.write(`${JSON.stringify({ pid: server.pid(), dataDir: server.dataDir })}\n`);
process.on("SIGTERM", () => void server[Symbol.asyncDispose]());

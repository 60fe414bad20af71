/** Where a server's log goes: lines for people, objects for programs, or both. */
import { openSync } from "node:fs";
import { pino } from "pino";
import type { Values } from "#serpent/resolve.ts";
import { serverOptions as o } from "#coderd/deployment/options.ts";
import { type Level, type Logger, pinoLogger } from "#slog/slog.ts";
import { globals } from "../globals.ts";
import { humanLine } from "./humanlog.ts";

export function serverLogger(values: Values): Logger {
  const level: Level = values.get(globals.verbose) ? "debug" : "info";
  const human = values.get(o.logHuman);
  const json = values.get(o.logJson);
  const streams = [
    ...(human === "" ? [] : [{ level, stream: humanStream(human) }]),
    ...(json === ""
      ? []
      : [{ level, stream: pino.destination({ dest: json, append: true, mkdir: true, sync: false }) }]),
  ];
  return pinoLogger({ level, destination: pino.multistream(streams) });
}

function humanStream(path: string): { write(line: string): void } {
  const fd = path === "/dev/stderr" ? 2 : path === "/dev/stdout" ? 1 : openSync(path, "a", 0o600);
  const out = pino.destination({ fd, sync: false });
  return { write: (line) => void out.write(humanLine(line)) };
}

/** The agent's log: a file that starts anew at 5 MB and keeps one predecessor, and warnings on stderr. */
import { renameSync, statSync } from "node:fs";
import type { Writable } from "node:stream";
import { pino } from "pino";
import { pinoLogger, type Logger } from "#slog/slog.ts";

const maxBytes = 5_000_000;

export interface LogFile {
  readonly log: Logger;
  readonly close: () => Promise<void>;
}

export function fileLogger(path: string, stderr: Writable): LogFile {
  let size = sizeOf(path);
  const open = () => pino.destination({ dest: path, sync: true, mkdir: true });
  const file = open();
  // A full or read-only disk costs the log, not the workspace.
  file.on("error", () => {});
  const log = pinoLogger({
    level: "debug",
    destination: {
      write(line: string) {
        if (size > maxBytes) {
          rotate(path);
          file.reopen();
          size = 0;
        }
        size += Buffer.byteLength(line);
        file.write(line);
        if (isWarning(line)) stderr.write(line);
      },
    },
  });
  return {
    log,
    close: async () => {
      file.flushSync();
      file.end();
    },
  };
}

/** pino writes the level first; 40 is warn. */
function isWarning(line: string): boolean {
  return Number(/^\{"level":(\d+)/u.exec(line)?.[1] ?? 0) >= 40;
}

function sizeOf(path: string): number {
  try {
    return statSync(path).size;
  } catch {
    return 0;
  }
}

function rotate(path: string): void {
  try {
    renameSync(path, `${path}.1`);
  } catch {
    // Somebody removed it.
  }
}

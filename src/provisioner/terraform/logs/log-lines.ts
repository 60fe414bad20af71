/** Output of Terraform commands → lines of the job's log. */
import { LogLevel } from "#rpc/gen/provisionersdk_pb.js";
import { isRecord } from "../convert/json.ts";
import { diagnosticLines, textOf, type Json } from "./diagnostic.ts";

export interface LogLine {
  readonly level: LogLevel;
  readonly output: string;
}

const levels = new Map([
  ["trace", LogLevel.TRACE],
  ["debug", LogLevel.DEBUG],
  ["info", LogLevel.INFO],
  ["warn", LogLevel.WARN],
  ["warning", LogLevel.WARN],
  ["error", LogLevel.ERROR],
]);

/** A JSON object, or undefined: the line is plain text. */
export function parseJsonLine(line: string): Json | undefined {
  if (!line.trimStart().startsWith("{")) return undefined;
  try {
    const value: unknown = JSON.parse(line);
    return isRecord(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function leveled(text: string): { level: LogLevel; before: LogLine[] } {
  const level = levels.get(text.toLowerCase());
  if (level !== undefined) return { level, before: [] };
  return {
    level: LogLevel.INFO,
    before: [{ level: LogLevel.WARN, output: `unable to convert log level ${text}` }],
  };
}

/** A line of standard output of init, plan or apply with `-json`. */
export function stdoutLines(line: string): LogLine[] {
  if (line.trim() === "") return [];
  const json = parseJsonLine(line);
  if (!json) return [{ level: LogLevel.INFO, output: line }];
  const { level, before } = leveled(textOf(json, "@level"));
  const out: LogLine[] = [...before, { level, output: textOf(json, "@message") }];
  const diagnostic = json["diagnostic"];
  if (!isRecord(diagnostic)) return out;
  const at = leveled(textOf(diagnostic, "severity"));
  out.push(...at.before);
  for (const output of diagnosticLines(diagnostic)) out.push({ level: at.level, output });
  return out;
}

/** A line of standard error: plain text, or Terraform's own log (TF_LOG=JSON). */
export function stderrLines(line: string): LogLine[] {
  if (line.trim() === "") return [];
  const json = parseJsonLine(line);
  if (!json) return [{ level: LogLevel.ERROR, output: line }];
  const { level, before } = leveled(textOf(json, "@level"));
  if (level === LogLevel.TRACE) return before;
  const shown = level === LogLevel.INFO ? LogLevel.DEBUG : level;
  return [...before, { level: shown, output: textOf(json, "@message") }];
}

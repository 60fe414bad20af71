/** A log object as a line for people. Pure. */

const levels: Readonly<Record<number, string>> = { 20: "debug", 30: "info", 40: "warn", 50: "error" };

/** `2026-01-02T03:04:05.678Z [info] coderd.httpapi: message  key=value …`; what is no log object passes as it is. */
export function humanLine(line: string): string {
  let entry: Record<string, unknown>;
  try {
    entry = JSON.parse(line);
  } catch {
    return line;
  }
  const { level, time, logger, msg, ...fields } = entry;
  const at = new Date(typeof time === "number" ? time : 0).toISOString();
  const name = typeof logger === "string" ? `${logger}: ` : "";
  const rest = Object.entries(fields).map(([key, value]) => `${key}=${text(value)}`);
  return `${at} [${levels[Number(level)] ?? "info"}] ${name}${text(msg)}${rest.length > 0 ? `  ${rest.join(" ")}` : ""}\n`;
}

function text(value: unknown): string {
  if (typeof value !== "string") return value === undefined ? "" : JSON.stringify(value);
  // Values come from outside too: they must not forge lines or move the cursor.
  // oxlint-disable-next-line no-control-regex -- these are what is looked for
  return /[\u0000-\u001f\u007f"]/.test(value) ? JSON.stringify(value) : value;
}

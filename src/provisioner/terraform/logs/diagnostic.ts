/** Terraform's diagnostics as lines of text. */
import { isRecord } from "../convert/json.ts";

export type Json = Readonly<Record<string, unknown>>;

export function textOf(from: Json, name: string): string {
  const value = from[name];
  return typeof value === "string" ? value : "";
}

function numberOf(from: Json, name: string): number {
  const value = from[name];
  return typeof value === "number" ? value : 0;
}

function objectOf(from: Json, name: string): Json | undefined {
  const value = from[name];
  return isRecord(value) ? value : undefined;
}

function values(snippet: Json): string[] {
  const list = snippet["values"];
  const items: Json[] = Array.isArray(list) ? list.filter(isRecord) : [];
  if (items.length === 0) return [];
  const lines = items
    .map((item) => ({ traversal: textOf(item, "traversal"), statement: textOf(item, "statement") }))
    .sort((one, other) => Buffer.compare(Buffer.from(one.traversal), Buffer.from(other.traversal)))
    .map(({ traversal, statement }) => `    │ ${traversal} ${statement}`);
  return ["    ├────────────────", ...lines];
}

/** Where it is, the lines of source, the values in them, then the detail. Empty lines stay. */
export function diagnosticLines(diagnostic: Json): string[] {
  const detail = textOf(diagnostic, "detail");
  const range = objectOf(diagnostic, "range");
  if (!range) return detail.split("\n");
  const line = numberOf(objectOf(range, "start") ?? {}, "line");
  const place = `on ${textOf(range, "filename")} line ${line}`;
  const snippet = objectOf(diagnostic, "snippet");
  if (!snippet) return [`${place}:`, "  (source code not available)", "", ...detail.split("\n")];
  const context = textOf(snippet, "context");
  const first = numberOf(snippet, "start_line");
  const code = textOf(snippet, "code")
    .split("\n")
    .map((source, i) => `  ${first + i}: ${source}`);
  return [
    `${place}${context === "" ? "" : `, in ${context}`}:`,
    ...code,
    ...values(snippet),
    "",
    ...detail.split("\n"),
  ];
}

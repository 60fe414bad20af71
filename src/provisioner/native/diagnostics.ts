/** Diagnostics as lines of the job's log: a headline, the place with its line of code, the detail. */
import type { EngineSession } from "#provisionersdk/engine.ts";
import { LogLevel } from "#rpc/gen/provisionersdk_pb.js";
import type { Diagnostic } from "#preview/hcl/source.ts";
import { allModules, type ModuleConfig } from "#preview/module/config.ts";

export function logDiagnostic(session: EngineSession, diagnostic: Diagnostic, root: ModuleConfig): void {
  const level = diagnostic.severity === "error" ? LogLevel.ERROR : LogLevel.WARN;
  const word = diagnostic.severity === "error" ? "Error" : "Warning";
  session.emit(level, `${word}: ${diagnostic.summary}`);
  for (const line of body(diagnostic, root)) session.emit(level, line);
}

function body({ range, detail, address }: Diagnostic, root: ModuleConfig): string[] {
  const out: string[] = [];
  if (range) {
    const { line } = range.start;
    out.push(`on ${range.file} line ${line}${address === undefined ? "" : `, in ${address}`}:`);
    const source = [...allModules(root)]
      .flatMap(({ sources }) => sources)
      .find(({ file }) => file === range.file);
    const code = source?.text.split("\n", line)[line - 1];
    out.push(code === undefined ? "  (source code not available)" : `  ${line}: ${code}`);
  }
  if (detail !== "") out.push("", ...detail.split("\n"));
  return out;
}

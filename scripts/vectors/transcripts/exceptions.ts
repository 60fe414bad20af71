/** Differences that we intend (transcripts.exceptions): `area or * | case or METHOD /path | field or * | reason`. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Step } from "./steps.ts";

export interface Exception {
  readonly area: string;
  readonly name: string;
  readonly field: string;
  readonly reason: string;
}

export function readExceptions(): Exception[] {
  const path = join(import.meta.dirname, "../transcripts.exceptions");
  if (!existsSync(path)) return [];
  return readFileSync(path, "utf8")
    .split("\n")
    .filter((line) => line.trim() !== "" && !line.startsWith("#"))
    .map((line) => {
      const [area = "", name = "", field = "", reason = ""] = line.split("|").map((part) => part.trim());
      if (reason === "") throw new Error(`an exception needs area, case, field and reason: ${line}`);
      return { area, name, field, reason };
    });
}

/** What is left of the differences of a step. */
export function unexcused(exceptions: readonly Exception[], step: Step, why: readonly string[]): string[] {
  const route = `${step.req?.method} ${step.req?.path.split("?")[0]?.replaceAll(/\/{2,}/g, "/")}`;
  const own = exceptions.filter(
    ({ area, name }) =>
      (area === "*" || area === step.area) && (name === step.case?.trim() || name === route || name === "*"),
  );
  return why.filter((line) => !own.some(({ field }) => field === "*" || line.startsWith(`${field}:`)));
}

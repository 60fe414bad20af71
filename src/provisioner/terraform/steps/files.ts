/** Files of a session outside of the template's folder, where no relative name of a template reaches them. */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { EngineSession } from "#provisionersdk/engine.ts";

export function planFile({ workDir }: EngineSession): string {
  return join(workDir, "terraform.tfplan");
}

/** The plan as `show -json` prints it, for the graph request that follows. */
export function writePlanJson({ workDir }: EngineSession, text: string): Promise<void> {
  return writeFile(join(workDir, "plan.json"), text, { mode: 0o600 });
}

export async function readPlanJson({ workDir }: EngineSession): Promise<unknown> {
  return shownJson(await readFile(join(workDir, "plan.json"), "utf8"));
}

/** The path of the file that it writes. */
export async function writeVariables({ workDir }: EngineSession, text: string): Promise<string> {
  const file = join(workDir, "variables.tfvars");
  await writeFile(file, text, { mode: 0o600 });
  return file;
}

/** Throws an Error that shows how the text begins, where it is no JSON. */
export function shownJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    const start = JSON.stringify(text.slice(0, 60));
    throw new Error(`terraform show printed no JSON, but ${start}`, { cause });
  }
}

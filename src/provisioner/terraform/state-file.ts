/** The state of a session's workspace on disk, where Terraform reads and writes it. */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { isRecord } from "./convert/json.ts";

const name = "terraform.tfstate";

async function readIfThere(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return new Uint8Array();
    throw error;
  }
}

/** Terraform writes the file in place: a kill in the middle of that leaves a torn one. */
function isWhole(state: Uint8Array): boolean {
  try {
    return isRecord(JSON.parse(Buffer.from(state).toString("utf8")));
  } catch {
    return false;
  }
}

export function writeState(dir: string, state: Uint8Array): Promise<void> {
  return writeFile(join(dir, name), state, { mode: 0o600 });
}

/** Empty where there is none. */
export function readState(dir: string): Promise<Uint8Array> {
  return readIfThere(join(dir, name));
}

/**
 * The state after a command that may have been killed: what is on disk, or where that is torn, Terraform's backup of
 * the one before. Empty where neither is whole.
 */
export async function rescueState(
  dir: string,
): Promise<{ readonly state: Uint8Array; readonly torn: boolean }> {
  const state = await readState(dir);
  if (state.length === 0 || isWhole(state)) return { state, torn: false };
  const backup = await readIfThere(join(dir, `${name}.backup`));
  return { state: isWhole(backup) ? backup : new Uint8Array(), torn: true };
}

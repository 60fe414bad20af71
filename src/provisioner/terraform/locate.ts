/** Which Terraform to run. */
import { access, constants, stat } from "node:fs/promises";
import { delimiter, isAbsolute, join, resolve } from "node:path";
import type { Clock } from "#quartz/clock.ts";
import { captureCommand } from "./command.ts";
import { isRecord } from "./convert/json.ts";

/** Terraform cannot be used: the message says why, and what helps. */
export class TerraformMissing extends Error {
  override readonly name = "TerraformMissing";
}

export interface Terraform {
  readonly path: string;
  /** As it says: `1.11.4`. */
  readonly version: string;
}

const minimum = "1.1.0";

async function isExecutable(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return (await stat(path)).isFile();
  } catch {
    return false;
  }
}

/** `setting` is a path, or "" to look in `path` (the PATH variable). */
export async function findTerraform({
  setting,
  path,
}: {
  readonly setting: string;
  readonly path: string;
}): Promise<string> {
  if (setting !== "") {
    const file = resolve(setting);
    if (await isExecutable(file)) return file;
    throw new TerraformMissing(`the configured Terraform binary cannot be run: ${file}`);
  }
  for (const dir of path.split(delimiter)) {
    const file = join(dir, "terraform");
    if (isAbsolute(dir) && (await isExecutable(file))) return file;
  }
  throw new TerraformMissing(
    "no Terraform binary was found on PATH: install Terraform, or name its binary with CODER_TERRAFORM_BINARY",
  );
}

function numbers(version: string): number[] | undefined {
  const match = /^v?(\d{1,6})\.(\d{1,6})\.(\d{1,6})/.exec(version);
  return match ? match.slice(1).map(Number) : undefined;
}

/** Whether `version` is at least `than`. Pre-releases count as their release. */
export function isAtLeast(version: string, than: string): boolean {
  const one = numbers(version);
  const other = numbers(than) ?? [];
  if (!one) return false;
  for (const [i, number] of one.entries()) {
    const against = other[i] ?? 0;
    if (number !== against) return number > against;
  }
  return true;
}

/** Asks the binary for its version and refuses one that is too old. */
export async function checkTerraform(
  path: string,
  run: {
    readonly env: Readonly<Record<string, string>>;
    readonly cwd: string;
    readonly clock: Clock;
    readonly signal: AbortSignal;
  },
): Promise<Terraform> {
  const { env, cwd, clock, signal } = run;
  const argv = [path, "version", "-json"];
  // The check asks checkpoint.hashicorp.com for news otherwise.
  const quiet = { ...env, CHECKPOINT_DISABLE: "1" };
  const text = await captureCommand(
    { argv, cwd, env: quiet, clock, canceled: signal, killed: signal },
    "terraform version",
    1 << 20,
  );
  const version = versionOf(text);
  if (version === undefined) {
    throw new TerraformMissing(`${path} does not say which version of Terraform it is`);
  }
  if (!isAtLeast(version, minimum)) {
    throw new TerraformMissing(`terraform version "${version}" is too old. required >= "${minimum}"`);
  }
  return { path, version };
}

function versionOf(text: string): string | undefined {
  try {
    const json: unknown = JSON.parse(text);
    const version = isRecord(json) ? json["terraform_version"] : undefined;
    return typeof version === "string" && numbers(version) ? version : undefined;
  } catch {
    return undefined;
  }
}

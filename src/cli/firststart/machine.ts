/** What this machine has that templates may use, and how to get what it lacks. For the block that a start prints. */
import { execFile } from "node:child_process";
import { promisify } from "node:util";

const run = promisify(execFile);

export interface Finding {
  readonly name: string;
  /** Version; undefined if it is not there. */
  readonly found: string | undefined;
  /** What to do where a template needs it. */
  readonly remedy: string;
}

async function ask(
  env: NodeJS.ProcessEnv,
  command: string,
  args: readonly string[],
  version: RegExp,
): Promise<string | undefined> {
  try {
    const { stdout } = await run(command, args, { env, timeout: 3000, maxBuffer: 64 * 1024 });
    return version.exec(stdout)?.[1] ?? "unknown version";
  } catch {
    return undefined;
  }
}

export async function findOnMachine(env: NodeJS.ProcessEnv): Promise<Finding[]> {
  const [terraform, docker, postgres] = await Promise.all([
    ask(env, "terraform", ["version"], /Terraform v([\d.]+)/),
    ask(env, "docker", ["version", "--format", "{{.Server.Version}}"], /([\d.]+)/),
    ask(env, "postgres", ["--version"], /\) ([\d.]+)/),
  ]);
  return [
    {
      name: "Terraform",
      found: terraform,
      remedy: "not needed for the starter template; others: put terraform 1.1 or newer on PATH",
    },
    {
      name: "Docker",
      found: docker,
      remedy: "needed only for templates with containers: install a Docker engine",
    },
    {
      name: "PostgreSQL",
      found: postgres,
      remedy: "not needed, the server brings its own; use yours with CODER_PG_CONNECTION_URL",
    },
  ];
}

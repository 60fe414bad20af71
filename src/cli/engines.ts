/** The engines of this program, as session services in memory: for the server's own daemons and for external ones. */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { Clock } from "#quartz/clock.ts";
import type { Rand } from "#cryptorand/cryptorand.ts";
import type { Logger } from "#slog/slog.ts";
import type { JobJournal } from "#provisionerd/journal.ts";
import type { EngineSetting } from "#provisioner/engine-auto.ts";
import { agentScripts } from "#provisionersdk/agent-scripts.ts";
import type { Engine } from "#provisionersdk/engine.ts";
import { provisionerRouter } from "#provisionersdk/session.ts";
import { drpcClient, type DrpcClient } from "#rpc/drpc/client.ts";
import { memoryStreams } from "#rpc/drpc/memory.ts";
import { Provisioner } from "#rpc/gen/provisionersdk_pb.js";
import { UserError } from "./errors.ts";

export interface EngineOptions {
  /** What builds terraform templates. */
  readonly engine: EngineSetting;
  /** `terraform`, `echo`. */
  readonly types: readonly string[];
  readonly cacheDir: string;
  /** Environment of builds; `CODER_LOCAL_AGENT` in it is how templates run agents of this clone. */
  readonly env: NodeJS.ProcessEnv;
  readonly clock: Clock;
  readonly rand: Rand;
  readonly log: Logger;
}

export type Provisioners = Readonly<Record<string, DrpcClient<typeof Provisioner>>>;

const workDirOf = (cacheDir: string, type: string): string => join(cacheDir, "provisioner", type);

/** Jobs that are noted for the next life of the daemons of this name. */
export async function openJournal(
  { cacheDir, types, log }: Pick<EngineOptions, "cacheDir" | "types" | "log">,
  owner: string,
): Promise<JobJournal> {
  const { JobJournal: Journal } = await import("#provisionerd/journal.ts");
  return new Journal({
    dir: join(cacheDir, "provisioner", "jobs"),
    owner,
    workDirs: types.map((type) => workDirOf(cacheDir, type)),
    log,
  });
}

export async function startEngines(options: EngineOptions): Promise<Provisioners> {
  const out: Record<string, DrpcClient<typeof Provisioner>> = {};
  for (const type of options.types) {
    const engine = await engineOf(type, options);
    const workDir = workDirOf(options.cacheDir, type);
    await mkdir(workDir, { recursive: true, mode: 0o700 });
    const { clock, rand } = options;
    const router = provisionerRouter({ engine, workDir, clock, rand, log: options.log.named(type) });
    out[type] = drpcClient(Provisioner, memoryStreams(router));
  }
  return out;
}

async function engineOf(type: string, options: EngineOptions): Promise<Engine> {
  switch (type) {
    case "echo":
      return (await import("#provisioner/echo/echo.ts")).echoEngine;
    case "terraform":
      return await terraformOf(options);
    default:
      throw new UserError(`no provisioner is named ${JSON.stringify(type)}; there are terraform and echo`);
  }
}

const goNames: Readonly<Record<string, string>> = { x64: "amd64", ia32: "386", arm: "arm" };

async function terraformOf({ engine: setting, cacheDir, env, rand }: EngineOptions): Promise<Engine> {
  const [{ terraformEngine }, { nativeEngine }, { reasonText, supports, supportsState }, { autoEngine }] =
    await Promise.all([
      import("#provisioner/terraform/engine.ts"),
      import("#provisioner/native/engine.ts"),
      import("#provisioner/native/supports.ts"),
      import("#provisioner/engine-auto.ts"),
    ]);
  const { platform, arch } = process;
  const texts = (support: ReturnType<typeof supports>): string[] =>
    support.ok ? [] : support.reasons.map(reasonText);
  return autoEngine({
    setting,
    native: nativeEngine({ rand, env, agentScripts, os: platform, arch: goNames[arch] ?? arch }),
    terraform: terraformEngine({
      binary: env["CODER_TERRAFORM_BINARY"] ?? "",
      env,
      cacheDir,
      agentScripts,
      rand,
      machine: { platform, arch },
    }),
    unknownInTemplate: (dir) => texts(supports(dir)),
    unknownInState: (state) => texts(supportsState(state)),
  });
}

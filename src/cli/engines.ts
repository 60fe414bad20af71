/** The engines of this program, as session services in memory: for the server's own daemons and for external ones. */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { Clock } from "#quartz/clock.ts";
import type { Rand } from "#cryptorand/cryptorand.ts";
import type { Logger } from "#slog/slog.ts";
import { agentScripts } from "#provisionersdk/agent-scripts.ts";
import type { Engine } from "#provisionersdk/engine.ts";
import { provisionerRouter } from "#provisionersdk/session.ts";
import { drpcClient, type DrpcClient } from "#rpc/drpc/client.ts";
import { memoryStreams } from "#rpc/drpc/memory.ts";
import { Provisioner } from "#rpc/gen/provisionersdk_pb.js";
import { UserError } from "./errors.ts";

export interface EngineOptions {
  /** What builds terraform templates. */
  readonly engine: "auto" | "native" | "terraform";
  /** `terraform`, `echo`. */
  readonly types: readonly string[];
  readonly cacheDir: string;
  readonly env: NodeJS.ProcessEnv;
  readonly clock: Clock;
  readonly rand: Rand;
  readonly log: Logger;
}

export type Provisioners = Readonly<Record<string, DrpcClient<typeof Provisioner>>>;

export async function startEngines(options: EngineOptions): Promise<Provisioners> {
  const out: Record<string, DrpcClient<typeof Provisioner>> = {};
  for (const type of options.types) {
    const engine = await engineOf(type, options);
    const workDir = join(options.cacheDir, "provisioner", type);
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

async function terraformOf({ engine, cacheDir, env, rand }: EngineOptions): Promise<Engine> {
  const { terraformEngine } = await import("#provisioner/terraform/engine.ts");
  const machine = { platform: process.platform, arch: process.arch };
  const binary = env["CODER_TERRAFORM_BINARY"] ?? "";
  void engine;
  return terraformEngine({ binary, env, cacheDir, agentScripts, rand, machine });
}

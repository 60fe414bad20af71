/** Engines of the replay's one built-in daemon: echo, and Terraform from PATH. */
import { cryptoRand } from "#cryptorand/cryptorand.ts";
import { echoEngine } from "#provisioner/echo/echo.ts";
import { terraformEngine } from "#provisioner/terraform/engine.ts";
import { agentScripts } from "#provisionersdk/agent-scripts.ts";
import type { Engine } from "#provisionersdk/engine.ts";
import { provisionerRouter } from "#provisionersdk/session.ts";
import { realClock } from "#quartz/clock.ts";
import { drpcClient } from "#rpc/drpc/client.ts";
import { memoryStreams } from "#rpc/drpc/memory.ts";
import { Provisioner } from "#rpc/gen/provisionersdk_pb.js";
import { discardLogger } from "#slog/slog.ts";

export function replayEngines(workDir: string) {
  const client = (engine: Engine) =>
    drpcClient(
      Provisioner,
      memoryStreams(
        provisionerRouter({ engine, workDir, clock: realClock, rand: cryptoRand, log: discardLogger }),
      ),
    );
  const terraform = terraformEngine({
    binary: "",
    // Whoever replays may have set up his own Terraform; each such variable would be a line of the log.
    env: Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("TF_"))),
    cacheDir: workDir,
    agentScripts,
    rand: cryptoRand,
    machine: { platform: process.platform, arch: process.arch },
  });
  return { terraform: client(terraform), echo: client(echoEngine) };
}

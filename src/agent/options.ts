/** What an agent is started with. */
import type { Rand } from "#cryptorand/cryptorand.ts";
import type { Clock } from "#quartz/clock.ts";
import type { Logger } from "#slog/slog.ts";
import type { StartNetwork } from "./network.ts";

export interface AgentOptions {
  /** Access URL of the server. */
  readonly url: string;
  /** The session token, asked for before each attempt: a rebuild on the same machine may have changed it. */
  readonly token: () => Promise<string>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly clock: Clock;
  readonly rand: Rand;
  readonly log: Logger;
  /** Environment that shells and scripts start from. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Path of the `coder` program, for git's helpers. */
  readonly binary: string;
  readonly logDir: string;
  readonly scriptDataDir: string;
  /** `v2.34.5…`: the server wants semantic versions. */
  readonly version: string;
  readonly subsystems?: readonly ("envbox" | "envbuilder" | "exectrace")[];
  readonly startNetwork: StartNetwork;
  readonly blockFileTransfer?: boolean;
  readonly blockLocalForwarding?: boolean;
  readonly blockReverseForwarding?: boolean;
  readonly sshMaxTimeoutMs?: number;
}

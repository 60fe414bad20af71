/** What the ssh server is given, and what it tells. */
import type { Duplex } from "node:stream";
import type { PseudoTtyInfo } from "ssh2";
import type { Clock } from "#quartz/clock.ts";
import type { Logger } from "#slog/slog.ts";
import type { Command, CommandRequest } from "../command/command.ts";
import type { Spawn } from "../command/spawner.ts";
import type { Modes } from "./modes.ts";

export type SessionKind = "ssh" | "vscode" | "jetbrains" | "unknown";

export interface SshOptions {
  /** Private key in OpenSSH's format. */
  readonly hostKey: string;
  readonly clock: Clock;
  readonly log: Logger;
  /** What to run; throws when the agent does not know yet. */
  readonly command: (request: CommandRequest) => Command;
  /** Starts commands that have no terminal. @default by sockets */
  readonly spawn?: Spawn;
  /** Announcements, shown before a login shell in a terminal. */
  readonly banners?: () => readonly string[];
  /** File shown after them; empty for none. */
  readonly motdFile?: () => string;
  readonly blockFileTransfer?: boolean;
  readonly blockLocalForwarding?: boolean;
  readonly blockReverseForwarding?: boolean;
  /** A peer that answers nothing for so long is dropped. @default 72 h */
  readonly maxTimeoutMs?: number;
  /** Whether a JetBrains IDE listens at an address: such a forward counts as a session. */
  readonly isJetBrains?: (host: string, port: number) => Promise<boolean>;
  /** A session began from the peer's address. Returns what to call at its end. */
  readonly onSession?: (kind: SessionKind, peer: string) => (code: number, reason: string) => void;
}

export const limits = {
  connections: 256,
  /** Channels of one connection; JetBrains opens hundreds of forwards. */
  channels: 1024,
  /** Variables that a client may send for one session, and their bytes. */
  variables: 512,
  variableBytes: 256 * 1024,
} as const;

/** Exit codes that are ours and not the process's (spec agent §13). */
export const exitCodes = { signal: 255, failed: 229, transferBlocked: 65 } as const;

export interface ConnectionOptions extends SshOptions {
  readonly transport: Duplex;
  /** The peer's address in the tailnet. */
  readonly peer: string;
  /** Aborts when the agent shuts down. */
  readonly closing: AbortSignal;
}

export interface SessionOptions extends ConnectionOptions {
  /** Aborts when the connection is gone. */
  readonly gone: AbortSignal;
}

/** What a session asked for before it began. */
export interface SessionRequest {
  readonly command: string;
  readonly env: Readonly<Record<string, string>>;
  /** Variables that we add: where forwarded agents and displays are. */
  readonly extra: Readonly<Record<string, string>>;
  readonly terminal: PseudoTtyInfo | undefined;
  readonly modes: Modes;
}

/** How a session ended: for the exit status and for the connection report. */
export interface SessionEnd {
  readonly code: number;
  readonly reason: string;
}

/** Text for the report of a process's end. */
export function reasonOf(code: number): string {
  return code === 0 ? "" : `process exited with error status: ${code}`;
}

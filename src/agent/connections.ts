/** Reports of who connected and how it ended: in order, bounded, a failure loses one report and harms nothing else. */
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import { Connection_Action, Connection_Type } from "#rpc/gen/agent_pb.js";
import type { AgentConnection } from "#codersdk/agentsdk/dial.ts";
import type { Rand } from "#cryptorand/cryptorand.ts";
import type { Clock } from "#quartz/clock.ts";
import type { Logger } from "#slog/slog.ts";
import { uuidBytes } from "#tailnet/addresses.ts";
import { Wakeup } from "./wakeup.ts";

export type ConnectionKind = "ssh" | "vscode" | "jetbrains" | "reconnecting_pty" | "unknown";

interface Report {
  readonly id: Uint8Array;
  readonly action: Connection_Action;
  readonly type: Connection_Type;
  readonly timestamp: ReturnType<typeof timestampFromDate>;
  readonly ip: string;
  readonly statusCode: number;
  readonly reason?: string;
}

const types = {
  ssh: Connection_Type.SSH,
  vscode: Connection_Type.VSCODE,
  jetbrains: Connection_Type.JETBRAINS,
  reconnecting_pty: Connection_Type.RECONNECTING_PTY,
  unknown: Connection_Type.TYPE_UNSPECIFIED,
} satisfies Readonly<Record<ConnectionKind, Connection_Type>>;

const maxQueued = 2048;
const deadlineMs = 30_000;

export class ConnectionReports {
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #rand: Rand;
  readonly #queue: Report[] = [];
  readonly #wakeup = new Wakeup();
  readonly #open: Record<ConnectionKind, number> = {
    ssh: 0,
    vscode: 0,
    jetbrains: 0,
    reconnecting_pty: 0,
    unknown: 0,
  };

  constructor(options: { readonly clock: Clock; readonly log: Logger; readonly rand: Rand }) {
    this.#clock = options.clock;
    this.#log = options.log;
    this.#rand = options.rand;
  }

  /** Sessions open now, for the statistics. */
  get open(): Readonly<Record<ConnectionKind, number>> {
    return this.#open;
  }

  /** A session began at `ip` (the peer's address in the tailnet); returns what ends it. */
  begin(kind: ConnectionKind, ip: string): (code: number, reason: string) => void {
    const id = uuidBytes(this.#rand.uuid());
    this.#open[kind]++;
    this.#push(id, kind, ip, Connection_Action.CONNECT, 0);
    let ended = false;
    return (code, reason) => {
      if (ended) return;
      ended = true;
      this.#open[kind]--;
      this.#push(id, kind, ip, Connection_Action.DISCONNECT, code, reason);
    };
  }

  #push(
    id: Uint8Array,
    kind: ConnectionKind,
    ip: string,
    action: Connection_Action,
    statusCode: number,
    reason?: string,
  ): void {
    if (this.#queue.length >= maxQueued) {
      this.#log.warn("dropped a connection report: too many wait");
      return;
    }
    this.#queue.push({
      id,
      action,
      type: types[kind],
      timestamp: timestampFromDate(this.#clock.now()),
      ip: ip === "localhost" ? "127.0.0.1" : ip,
      statusCode,
      ...(reason ? { reason } : {}),
    });
    this.#wakeup.wake();
  }

  /** Reports until the signal aborts. */
  async run(api: AgentConnection["agent"], signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const connection = this.#queue[0];
      if (!connection) {
        await this.#wakeup.wait(signal);
        continue;
      }
      const late = new AbortController();
      const timer = this.#clock.timer(deadlineMs, () => late.abort(new Error("the report took too long")));
      try {
        await api.reportConnection({ connection }, { signal: AbortSignal.any([signal, late.signal]) });
      } catch (error) {
        // The connection is gone: keep the report for the next one.
        if (signal.aborted) return;
        this.#log.warn("a connection report was refused", { error });
      } finally {
        timer.stop();
      }
      this.#queue.shift();
    }
  }
}

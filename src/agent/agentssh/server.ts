/**
 * The agent's ssh server. It serves byte streams that the tailnet has accepted (and has authenticated and authorized:
 * ssh itself asks for nothing). Promises: one bad connection harms no other; closing ends listeners and sessions, and
 * hangs up their processes; every size and count that a peer chooses is bounded.
 */
import { Socket } from "node:net";
import type { Duplex } from "node:stream";
import ssh2 from "ssh2";
import { SshConnection } from "./connection.ts";
import { limits, type SshOptions } from "./options.ts";

/** ssh2 uses the socket as a stream only; its types are narrower than that. */
interface Injectable {
  injectSocket(stream: Duplex): void;
}

export class SshServer implements AsyncDisposable {
  readonly #options: SshOptions;
  readonly #closing = new AbortController();
  readonly #live = new Set<Promise<void>>();

  static start(options: SshOptions): SshServer {
    return new SshServer(options);
  }

  private constructor(options: SshOptions) {
    this.#options = options;
  }

  /** Takes the stream over; it is closed when the connection ends. */
  serve(transport: Duplex, peer = ""): void {
    const closing = this.#closing.signal;
    if (closing.aborted || this.#live.size >= limits.connections) {
      transport.destroy();
      return;
    }
    if (transport instanceof Socket) transport.setNoDelay(true);
    const { hostKey, maxTimeoutMs = 72 * 3_600_000, log } = this.#options;
    // A server of its own for each connection ties ssh2's connection to its transport.
    const server = new ssh2.Server(
      {
        hostKeys: [hostKey],
        ident: "coder",
        keepaliveInterval: Math.max(1000, Math.floor(maxTimeoutMs / 3)),
        keepaliveCountMax: 3,
        // Compression would let a small packet become a large one.
        algorithms: { compress: ["none"] },
      },
      (connection) => {
        const served = new SshConnection(connection, { ...this.#options, transport, peer, closing });
        const ended = served.ended.finally(() => this.#live.delete(ended));
        this.#live.add(ended);
      },
    );
    server.on("error", (error: unknown) => log.warn("ssh server failed", { error }));
    const injectable: Injectable = server;
    injectable.injectSocket(transport);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort(new Error("the agent is shutting down"));
    const late = new AbortController();
    const all = Promise.all(this.#live).finally(() => late.abort());
    await Promise.race([
      all,
      this.#options.clock.sleep(5000, { tag: "ssh close", signal: late.signal }).catch(() => {}),
    ]);
  }
}

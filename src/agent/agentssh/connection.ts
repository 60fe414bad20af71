/** One ssh connection: authentication (none asked), sessions, forwards, and its end. */
import type { Connection } from "ssh2";
import { Forwards } from "./forwards.ts";
import { limits, type ConnectionOptions } from "./options.ts";
import { watchPtyModes } from "./pty-modes.ts";
import { startSession } from "./session.ts";

/** At shutdown a client has so long to close its end. */
const goodbyeMs = 500;

export class SshConnection {
  /** Resolves when the transport is closed and every session's process has been told. */
  readonly ended: Promise<void>;

  constructor(connection: Connection, options: ConnectionOptions) {
    const { transport, closing, log } = options;
    const gone = new AbortController();
    const sessions = new Set<Promise<void>>();
    let channels = 0;
    const admit = (): boolean => {
      if (channels >= limits.channels || closing.aborted) return false;
      channels++;
      return true;
    };
    const release = (): void => void channels--;
    const forwards = new Forwards(connection, { ...options, gone: gone.signal, admit, release });

    const ptyModes = watchPtyModes(connection);
    connection.on("authentication", (context) => context.accept());
    connection.on("error", (error: Error) => log.debug("ssh connection failed", { error }));
    connection.on("session", (accept, reject) => {
      if (!admit()) return reject();
      const session = startSession(accept(), {
        ...options,
        connection,
        ptyModes,
        gone: gone.signal,
        admit,
        release,
      });
      sessions.add(session);
      void session.finally(() => (release(), sessions.delete(session)));
    });
    forwards.listen();

    const onClosing = (): void => {
      connection.end();
      // A peer that is gone never answers our end.
      options.clock.timer(goodbyeMs, () => void transport.destroy(), { tag: "ssh goodbye", unref: true });
    };
    closing.addEventListener("abort", onClosing, { once: true });
    this.ended = new Promise<void>((resolve) => {
      transport.once("close", resolve);
    }).then(async () => {
      closing.removeEventListener("abort", onClosing);
      gone.abort(new Error("the ssh connection ended"));
      await forwards[Symbol.asyncDispose]();
      if (closing.aborted) await Promise.all(sessions);
    });
  }
}

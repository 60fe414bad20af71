/**
 * Terminals that outlive their connections (spec agent §14): the web terminal's agent side. A connection names a
 * session by its id; the first one starts it, every one sees the last 64 KiB and then all that comes. A session ends
 * with its process, 5 minutes after its last viewer left, or with the agent.
 *
 * The terminal waits for its slowest viewer, but for no longer than 5 s: then that viewer is dropped.
 */
import type { Duplex } from "node:stream";
import { decodePtyInit, PtyRequestReader, type PtyInit } from "#codersdk/workspacesdk/pty-protocol.ts";
import { parseUuid } from "#codersdk/uuid.ts";
import { Pty } from "#pty/pty.ts";
import type { Clock } from "#quartz/clock.ts";
import type { Logger } from "#slog/slog.ts";
import type { Command, CommandRequest } from "../command/command.ts";

export interface TerminalsOptions {
  readonly clock: Clock;
  readonly log: Logger;
  readonly command: (request: CommandRequest) => Command;
  /** A viewer came; returns what to call when it goes. */
  readonly onViewer?: (peer: string) => (code: number, reason: string) => void;
}

const maxSessions = 256;
const initTimeoutMs = 30_000;
const idleMs = 5 * 60_000;
const slowMs = 5000;
const scrollback = 64 * 1024;

interface Session {
  readonly pty: Pty;
  readonly viewers: Set<Duplex>;
  replay: Buffer;
  idle: AbortController;
}

export class Terminals implements AsyncDisposable {
  readonly #options: TerminalsOptions;
  readonly #sessions = new Map<string, Session>();

  constructor(options: TerminalsOptions) {
    this.#options = options;
  }

  /** Sessions that run. */
  get size(): number {
    return this.#sessions.size;
  }

  /** Takes the stream over. */
  serve(stream: Duplex, peer: string): void {
    stream.on("error", () => stream.destroy());
    const end = this.#options.onViewer?.(peer);
    this.#serve(stream).then(
      () => end?.(0, "graceful"),
      (error: unknown) => {
        this.#options.log.warn("a terminal's viewer failed", { error });
        stream.destroy();
        end?.(1, error instanceof Error ? error.message : String(error));
      },
    );
  }

  async #serve(stream: Duplex): Promise<void> {
    const chunks: AsyncIterator<unknown> = stream[Symbol.asyncIterator]();
    const late = this.#options.clock.timer(initTimeoutMs, () => void stream.destroy(), { unref: true });
    const { init, rest } = await readInit(chunks).finally(() => late.stop());
    const session = this.#find(init);
    if (session.replay.length > 0) stream.write(session.replay);
    session.idle.abort();
    session.viewers.add(stream);
    session.pty.resize({ cols: init.width, rows: init.height });
    stream.once("close", () => this.#leave(session, stream));
    const reader = new PtyRequestReader();
    for (let piece: Buffer | undefined = rest; piece; piece = await nextChunk(chunks)) {
      for (const { data, width, height } of reader.push(piece)) {
        if (data !== "") await new Promise<void>((resolve) => session.pty.write(data, () => resolve()));
        session.pty.resize({ cols: width, rows: height });
      }
    }
    stream.end();
  }

  #find(init: PtyInit): Session {
    const id = parseUuid(init.id);
    if (id === undefined) {
      throw new Error(`a terminal's id is a UUID: received ${JSON.stringify(init.id.slice(0, 64))}`);
    }
    if (init.container !== "") throw new Error("terminals in containers are not supported");
    const known = this.#sessions.get(id);
    if (known) return known;
    if (this.#sessions.size >= maxSessions) throw new Error("too many terminals");
    const extra = { TERM: "xterm-256color" };
    const { file, args, env, cwd } = this.#options.command({ text: init.command, extra });
    const locale = env["LC_ALL"] || env["LC_CTYPE"] || env["LANG"] || "";
    const utf8 = /utf-?8/iu.test(locale) || (env["LC_ALL"] ?? "") !== "";
    const { clock } = this.#options;
    const pty = Pty.start({
      command: file,
      args,
      env: utf8 ? env : { ...env, LC_CTYPE: "C.UTF-8" },
      cwd,
      clock,
      cols: init.width,
      rows: init.height,
    });
    const session: Session = {
      pty,
      viewers: new Set(),
      replay: Buffer.alloc(0),
      idle: new AbortController(),
    };
    this.#sessions.set(id, session);
    void this.#broadcast(session).finally(() => {
      this.#sessions.delete(id);
      session.idle.abort();
      for (const viewer of session.viewers) viewer.end();
      pty.destroy();
    });
    return session;
  }

  async #broadcast(session: Session): Promise<void> {
    try {
      for await (const chunk of session.pty) {
        const bytes = Buffer.from(chunk);
        session.replay = Buffer.concat([session.replay, bytes]).subarray(-scrollback);
        for (const viewer of session.viewers) viewer.write(bytes);
        const slow = [...session.viewers].filter((viewer) => viewer.writableNeedDrain);
        if (slow.length > 0) await this.#awaitDrain(slow);
      }
    } catch {
      // The terminal was destroyed: idle, or the agent ends.
    }
  }

  async #awaitDrain(slow: readonly Duplex[]): Promise<void> {
    const late = new AbortController();
    const timer = this.#options.clock.timer(slowMs, () => late.abort(), { tag: "slow viewer" });
    await Promise.all(slow.map((viewer) => drained(viewer, late.signal)));
    timer.stop();
    for (const viewer of slow) {
      if (viewer.writableNeedDrain) viewer.destroy();
    }
  }

  #leave(session: Session, viewer: Duplex): void {
    session.viewers.delete(viewer);
    if (session.viewers.size > 0) return;
    const idle = new AbortController();
    session.idle = idle;
    this.#options.clock.sleep(idleMs, { signal: idle.signal, tag: "idle terminal", unref: true }).then(
      () => session.pty.destroy(),
      () => {},
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { pty, viewers } of this.#sessions.values()) {
      for (const viewer of viewers) viewer.end();
      pty.destroy();
    }
  }
}

async function readInit(chunks: AsyncIterator<unknown>): Promise<{ init: PtyInit; rest: Buffer }> {
  let held = Buffer.alloc(0);
  for (;;) {
    const piece = await nextChunk(chunks);
    if (!piece) throw new Error("the connection ended before the terminal was named");
    held = Buffer.concat([held, piece]);
    const found = decodePtyInit(held);
    if (found) return { init: found.init, rest: held.subarray(found.length) };
  }
}

async function nextChunk(chunks: AsyncIterator<unknown>): Promise<Buffer | undefined> {
  const { done, value } = await chunks.next();
  return done === true || !Buffer.isBuffer(value) ? undefined : value;
}

function drained(viewer: Duplex, late: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      viewer.off("drain", done);
      viewer.off("close", done);
      late.removeEventListener("abort", done);
      resolve();
    };
    viewer.once("drain", done);
    viewer.once("close", done);
    late.addEventListener("abort", done, { once: true });
  });
}

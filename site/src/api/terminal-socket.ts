/**
 * The reconnecting terminal, as the agent serves it: JSON text in binary frames towards it, raw bytes back. The same id
 * finds the same terminal again for five minutes, with its screen.
 *
 *     → {"data":"ls\r"}   → {"height":40,"width":120}   ← bytes for the screen
 */
import type { Client } from "#codersdk/client.ts";
import { type SocketLike } from "#codersdk/socket.ts";
import { contract } from "#codersdk/contract.ts";
import { type Clock, sleep } from "../lib/clock.ts";

export interface Size {
  readonly height: number;
  readonly width: number;
}

export type TerminalState =
  | { readonly kind: "connecting" }
  | { readonly kind: "connected" }
  | { readonly kind: "waiting"; readonly reason: string }
  /** The shell has ended; nothing will come back under this id. */
  | { readonly kind: "ended" };

export interface TerminalOptions {
  readonly client: Client;
  readonly clock: Clock;
  readonly agentId: string;
  readonly reconnectId: string;
  readonly command: string;
  readonly size: () => Size;
  readonly onBytes: (bytes: Uint8Array) => void;
  /** Before the first byte of each connection: the agent sends the whole screen again. */
  readonly onConnect: () => void;
  readonly onState: (state: TerminalState) => void;
}

const firstWaitMs = 300;
const longestWaitMs = 5000;
/** A shell that ends closes cleanly; one that ends at once each time must not be started again and again. */
const cleanClose = 1000;
const encoder = new TextEncoder();
/** The largest message that is sent; a paste may be longer. */
const mostCharacters = 8192;

export class TerminalConnection implements Disposable {
  readonly #options: TerminalOptions;
  readonly #stop = new AbortController();
  #socket: SocketLike | undefined;
  #wake: (() => void) | undefined;

  constructor(options: TerminalOptions) {
    this.#options = options;
    void this.#run();
  }

  type(text: string): void {
    const characters = Array.from(text);
    for (let from = 0; from < characters.length; from += mostCharacters) {
      this.#send({ data: characters.slice(from, from + mostCharacters).join("") });
    }
  }

  resize(size: Size): void {
    this.#send(size);
  }

  /** Does not wait any longer. */
  reconnect(): void {
    this.#wake?.();
  }

  [Symbol.dispose](): void {
    this.#stop.abort();
    this.#socket?.close(cleanClose);
  }

  #send(message: { readonly data: string } | Size): void {
    this.#socket?.send(encoder.encode(JSON.stringify(message)));
  }

  async #run(): Promise<void> {
    const { clock, onState } = this.#options;
    const { signal } = this.#stop;
    let waitMs = firstWaitMs;
    while (!signal.aborted) {
      onState({ kind: "connecting" });
      const { opened, code, reason } = await this.#connect();
      if (signal.aborted) return;
      if (opened && code === cleanClose) return onState({ kind: "ended" });
      waitMs = opened ? firstWaitMs : Math.min(waitMs * 2, longestWaitMs);
      onState({ kind: "waiting", reason });
      await this.#pause(clock, waitMs, signal);
    }
  }

  async #pause(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
    const woken = new AbortController();
    this.#wake = () => woken.abort();
    await sleep(clock, ms, AbortSignal.any([signal, woken.signal]));
    this.#wake = undefined;
  }

  /** One connection, until it is closed. */
  async #connect(): Promise<{ readonly opened: boolean; readonly code: number; readonly reason: string }> {
    const { client, agentId, reconnectId, command, size, onBytes, onConnect, onState } = this.#options;
    const { height, width } = size();
    let socket: SocketLike;
    try {
      socket = await client.dial(contract.workspaceagents.pty, {
        params: { workspaceagent: agentId },
        query: { reconnect: reconnectId, height: String(height), width: String(width), command },
      });
    } catch {
      return { opened: false, code: 1006, reason: "The workspace cannot be reached." };
    }
    if (this.#stop.signal.aborted) socket.close(cleanClose);
    socket.binaryType = "arraybuffer";
    this.#socket = socket;
    let heard = false;
    socket.addEventListener("message", ({ data }) => {
      if (!heard) {
        heard = true;
        onConnect();
        onState({ kind: "connected" });
      }
      if (data instanceof ArrayBuffer) onBytes(new Uint8Array(data));
    });
    const { code, reason } = await new Promise<{ readonly code: number; readonly reason: string }>(
      (resolve) => socket.addEventListener("close", resolve),
    );
    this.#socket = undefined;
    return { opened: heard, code, reason: reason === "" ? "The connection was lost." : reason };
  }
}

/**
 * Whether a forwarded port belongs to a JetBrains IDE: its program's command line says so (spec agent §13). Such a
 * channel counts as a session of its own. A listener is looked up once, however many connections it gets.
 */
import { type Listener, listeners, ownersOf } from "./api/listeners.ts";

const signs = ["idea.vendor.name=jetbrains", "com.jetbrains.toolbox", "remote-dev-server"];
const maxKnown = 1024;
const loopback = new Set(["localhost", "127.0.0.1", "::1", "[::1]"]);

export interface JetBrainsDeps {
  readonly listeners: () => Promise<readonly Listener[]>;
  readonly commandLine: (inode: string) => Promise<string>;
}

const machine: JetBrainsDeps = {
  listeners,
  commandLine: async (inode) => (await ownersOf(new Set([inode]))).get(inode)?.commandLine ?? "",
};

export class JetBrainsPorts {
  readonly #deps: JetBrainsDeps;
  /** By socket, which is never another one. */
  readonly #known = new Map<string, Promise<boolean>>();

  constructor(deps: JetBrainsDeps = machine) {
    this.#deps = deps;
  }

  async is(host: string, port: number): Promise<boolean> {
    if (!loopback.has(host)) return false;
    const listener = (await this.#deps.listeners()).find((one) => one.port === port);
    if (!listener) return false;
    let answer = this.#known.get(listener.inode);
    if (!answer) {
      if (this.#known.size >= maxKnown) this.#known.clear();
      answer = this.#deps.commandLine(listener.inode).then(isJetBrains);
      this.#known.set(listener.inode, answer);
    }
    return answer;
  }
}

function isJetBrains(commandLine: string): boolean {
  const text = commandLine.toLowerCase();
  return signs.some((sign) => text.includes(sign));
}

/**
 * Open ssh sessions that print a counter. What a session shows must be every number once and in order, whatever dies
 * between its client and its agent.
 */
import { realClock as clock } from "#quartz/clock.ts";
import type { Program } from "./program.ts";
import type { Rig } from "./rig.ts";

const script = `i=0; while :; do i=$((i+1)); echo "$i"; sleep 0.1; done`;

export class CounterSession {
  readonly workspace: string;
  readonly #program: Program;
  #last = 0;
  #lastAt = 0;
  #rest = "";
  #broken: string | undefined;

  constructor(rig: Rig, workspace: string) {
    this.workspace = workspace;
    this.#program = rig.coder(["ssh", workspace, "--", script], (text) => this.#take(text));
  }

  get last(): number {
    return this.#last;
  }

  /** On the monotonic clock. */
  get lastAt(): number {
    return this.#lastAt;
  }

  /** What is wrong with it, if something is. */
  problem(): string | undefined {
    if (this.#broken !== undefined) return this.#broken;
    return this.#program.alive() ? undefined : `the session with ${this.workspace} ended after ${this.#last}`;
  }

  async close(): Promise<void> {
    await this.#program.kill();
  }

  #take(text: string): void {
    const lines = (this.#rest + text).split("\n");
    this.#rest = lines.pop() ?? "";
    for (const line of lines) {
      if (line !== String(this.#last + 1)) {
        this.#broken ??= `the session with ${this.workspace} shows ${JSON.stringify(line)} after ${this.#last}`;
      }
      this.#last = Number(line);
      this.#lastAt = clock.monotonic();
    }
  }
}

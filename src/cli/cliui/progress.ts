/**
 * Says what a command waits for once that has taken half a second: a turning sign at a terminal, which leaves nothing
 * behind, and a line elsewhere, each text once.
 */
import type { World } from "#serpent/command.ts";

const delayMs = 500;
const frameMs = 100;
const frames = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"];

export interface Progress {
  /** Begins or changes what is waited for. Several waits at a time are one sign; the last text shows. */
  wait(text: string): Disposable;
}

type Terminal = Pick<World, "stderr" | "clock">;

export function newProgress({ stderr, clock }: Terminal): Progress {
  const texts: string[] = [];
  const told = new Set<string>();
  let timer: { stop(): void } | undefined;
  let frame = 0;

  function show(): void {
    const text = texts.at(-1);
    if (text === undefined) return;
    if (stderr.isTTY) {
      stderr.write(`\r\u001b[K${frames[frame++ % frames.length] ?? ""} ${text}`);
      timer = clock.timer(frameMs, show, { unref: true });
    } else if (!told.has(text)) {
      told.add(text);
      stderr.write(`${text}…\n`);
    }
  }

  function end(): void {
    timer?.stop();
    timer = undefined;
    if (frame > 0) stderr.write("\r\u001b[K");
    frame = 0;
  }

  return {
    wait(text) {
      texts.push(text);
      timer ??= clock.timer(delayMs, show, { unref: true });
      let ended = false;
      return {
        [Symbol.dispose]() {
          if (ended) return;
          ended = true;
          texts.splice(texts.lastIndexOf(text), 1);
          if (texts.length === 0) end();
        },
      };
    },
  };
}

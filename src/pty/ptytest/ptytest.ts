/**
 * Drives an interactive command in a real terminal, for tests: type lines, wait for what it shows.
 *
 *     const term = ptytest(t, { command: "bash", args: [], env });
 *     await term.expectMatch("$ ");
 *     term.writeLine("echo hi");
 *     await term.expectMatch("hi");
 *
 * Each match consumes what was shown up to its end, so that the next one looks only at later output. A match that does
 * not come fails with everything that was shown.
 */
import type { TestContext } from "node:test";
import { realClock } from "#quartz/clock.ts";
import { Pty, type PtyExit, type PtyOptions, type PtySize } from "../pty.ts";

export type PtyTestOptions = Partial<PtyOptions> & Pick<PtyOptions, "command">;

export interface TestTerminal {
  /** Waits until the text or pattern is shown; returns what was shown up to its end. @default timeout 10 s */
  expectMatch(expected: string | RegExp, options?: { readonly timeoutMs?: number }): Promise<string>;
  /** Types a line and Enter. */
  writeLine(line: string): void;
  /** Types as is: control characters, parts of lines. */
  write(text: string): void;
  resize(size: PtySize): void;
  /** Everything shown so far. */
  output(): string;
  /** Resolves after the last output. */
  readonly exited: Promise<PtyExit>;
}

export function ptytest(t: TestContext, options: PtyTestOptions): TestTerminal {
  const pty = Pty.start({
    args: [],
    env: { PATH: process.env["PATH"] ?? "/usr/bin:/bin", TERM: "xterm-256color" },
    cwd: process.cwd(),
    clock: realClock,
    cols: 120,
    rows: 40,
    ...options,
  });
  t.after(() => pty.destroy());
  let shown = "";
  let consumed = 0;
  let over = false;
  let wake = Promise.withResolvers<void>();
  const changed = (): void => {
    wake.resolve();
    wake = Promise.withResolvers();
  };
  const decoder = new TextDecoder();
  pty.on("data", (chunk: Buffer) => {
    shown += decoder.decode(chunk, { stream: true });
    changed();
  });
  const ended = new Promise<void>((resolve) => {
    pty.once("close", resolve);
    pty.once("end", resolve);
  }).then(() => {
    over = true;
    changed();
  });

  async function expectMatch(expected: string | RegExp, { timeoutMs = 10_000 } = {}): Promise<string> {
    const late = new AbortController();
    const timer = realClock.timer(timeoutMs, () => (late.abort(), changed()));
    try {
      for (;;) {
        const end = matchEnd(shown.slice(consumed), expected);
        if (end !== undefined) {
          const part = shown.slice(consumed, consumed + end);
          consumed += end;
          return part;
        }
        if (over || late.signal.aborted) {
          const why = over ? "the terminal ended" : `${timeoutMs} ms passed`;
          throw new Error(`${why} without ${String(expected)}; shown: ${JSON.stringify(shown)}`);
        }
        await wake.promise;
      }
    } finally {
      timer.stop();
    }
  }

  return {
    expectMatch,
    writeLine: (line) => void pty.write(`${line}\r`),
    write: (text) => void pty.write(text),
    resize: (size) => pty.resize(size),
    output: () => shown,
    exited: ended.then(() => pty.exited),
  };
}

function matchEnd(text: string, expected: string | RegExp): number | undefined {
  if (typeof expected === "string") {
    const at = text.indexOf(expected);
    return at < 0 ? undefined : at + expected.length;
  }
  const match = expected.exec(text);
  return match ? match.index + match[0].length : undefined;
}

/**
 * Questions to the person at the terminal, or to the pipe. Text is read byte by byte, never beyond its line, because
 * what follows may belong to a program that we start. Nothing waits for ever on a pipe that has ended.
 */
import type { World } from "#serpent/command.ts";
import { UsageError } from "#serpent/resolve.ts";

/** The person said no, or pressed Ctrl-C: the command ends with status 1 and prints nothing more. */
export class Canceled extends Error {
  override readonly name = "Canceled";
}

type Terminal = Pick<World, "stdin" | "stdout" | "stderr" | "signal">;

export interface TextQuestion {
  readonly text: string;
  readonly default?: string;
  readonly secret?: boolean;
  /** Throws to ask again. */
  readonly validate?: (answer: string) => void;
}

export async function askText(terminal: Terminal, question: TextQuestion): Promise<string> {
  const hint = question.default ? `(${question.default}) ` : "";
  for (;;) {
    terminal.stderr.write(`> ${question.text} ${hint}`);
    const line =
      question.secret && terminal.stdin.isTTY ? await readSecret(terminal) : await readLine(terminal);
    const answer = line === "" ? (question.default ?? "") : line;
    try {
      question.validate?.(answer);
      return answer;
    } catch (error) {
      terminal.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    }
  }
}

/** Goes on only at `yes` or `y`; everything else cancels. */
export async function confirm(
  terminal: Terminal,
  text: string,
  fallback: "yes" | "no" = "yes",
): Promise<void> {
  terminal.stderr.write(`> ${text} (yes/no) [${fallback}] `);
  const line = (await readLine(terminal)).trim().toLowerCase();
  if (!["yes", "y"].includes(line === "" ? fallback : line)) throw new Canceled("canceled");
}

export interface Choice<T> {
  readonly label: string;
  readonly value: T;
}

/** A list to choose from with the arrow keys; `flag` names the option that answers where there is no terminal. */
export async function choose<T>(
  terminal: Terminal,
  question: { text: string; choices: readonly Choice<T>[]; flag: string },
): Promise<T> {
  if (!terminal.stdin.isTTY) {
    throw new UsageError(`${question.text}: there is no terminal to choose on; use ${question.flag}`);
  }
  const { select, isCancel } = await import("@clack/prompts");
  const picked = await select({
    message: question.text,
    options: question.choices.map((choice, at) => ({ value: at, label: choice.label })),
    input: terminal.stdin,
    output: terminal.stderr,
    signal: terminal.signal,
  });
  const choice = isCancel(picked) ? undefined : question.choices[Number(picked)];
  if (!choice) throw new Canceled("canceled");
  return choice.value;
}

async function readByte({ stdin, signal }: Terminal): Promise<number | undefined> {
  for (;;) {
    if (signal.aborted) throw new Canceled("canceled");
    const chunk: unknown = stdin.read(1);
    if (Buffer.isBuffer(chunk)) return chunk[0];
    if (typeof chunk === "string") return chunk.charCodeAt(0);
    if (stdin.readableEnded || stdin.destroyed) return undefined;
    await new Promise<void>((resolve, reject) => {
      const done = (): void => {
        stdin.off("readable", done).off("end", done).off("close", done).off("error", fail);
        signal.removeEventListener("abort", done);
        resolve();
      };
      const fail = (error: Error): void => {
        done();
        reject(error);
      };
      stdin.on("readable", done).on("end", done).on("close", done).on("error", fail);
      signal.addEventListener("abort", done);
    });
  }
}

const maxLine = 1024 * 1024;

/** One line without its end. A line that starts as JSON is read on until the JSON is complete. */
async function readLine(terminal: Terminal): Promise<string> {
  const bytes: number[] = [];
  for (;;) {
    const byte = await readByte(terminal);
    if (byte === undefined && bytes.length === 0) {
      throw new Error("EOF: the question has no answer on standard input");
    }
    if (byte !== undefined && byte !== 0x0a) {
      if (byte === 0x03) throw new Canceled("canceled");
      if (bytes.push(byte) > maxLine) throw new Error(`the answer is longer than ${maxLine} bytes`);
      continue;
    }
    const text = Buffer.from(bytes).toString("utf8").replace(/\r$/, "");
    if (byte === undefined || !/^[{[]/.test(text)) return text;
    try {
      return JSON.stringify(JSON.parse(text));
    } catch {
      bytes.push(0x0a);
    }
  }
}

/** Raw mode: a star for each character, backspace, Ctrl-C, Enter. */
async function readSecret(terminal: Terminal): Promise<string> {
  const tty = terminal.stdin;
  const setRaw =
    "setRawMode" in tty && typeof tty.setRawMode === "function" ? tty.setRawMode.bind(tty) : undefined;
  setRaw?.(true);
  try {
    const answer: number[] = [];
    for (;;) {
      const byte = await readByte(terminal);
      if (byte === 0x03) throw new Canceled("canceled");
      if (byte === undefined || byte === 0x0d || byte === 0x0a) return Buffer.from(answer).toString("utf8");
      if (byte === 0x7f || byte === 0x08) {
        if (answer.length > 0) terminal.stderr.write("\b \b");
        // Take the last character: its continuation bytes and its first.
        while (((answer.pop() ?? 0) & 0xc0) === 0x80);
      } else {
        answer.push(byte);
        // Only the first byte of a character gets its star.
        if ((byte & 0xc0) !== 0x80) terminal.stderr.write("*");
      }
    }
  } finally {
    setRaw?.(false);
    terminal.stderr.write("\n");
  }
}

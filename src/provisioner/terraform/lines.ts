/** Splits a byte stream into lines of text, with a bound on what one line may hold. */
import { StringDecoder } from "node:string_decoder";

/** A line longer than this is passed on in pieces. */
const maxLineLength = 16 << 20;

export class LineSplitter {
  readonly #decoder = new StringDecoder("utf8");
  readonly #take: (line: string) => void;
  #rest = "";

  constructor(take: (line: string) => void) {
    this.#take = take;
  }

  write(chunk: Uint8Array): void {
    this.#add(this.#decoder.write(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)));
  }

  end(): void {
    this.#add(this.#decoder.end());
    if (this.#rest !== "") this.#take(this.#rest);
    this.#rest = "";
  }

  #add(text: string): void {
    const lines = text.split("\n");
    // Only the first piece continues what was there: a long line costs no more than its length.
    lines[0] = this.#rest + (lines[0] ?? "");
    this.#rest = lines.pop() ?? "";
    for (const line of lines) this.#take(line.endsWith("\r") ? line.slice(0, -1) : line);
    if (this.#rest.length <= maxLineLength) return;
    this.#take(this.#rest);
    this.#rest = "";
  }
}

/** Bytes into lines: no newline, no carriage return before it; a line without end is cut at the bound. */
const maxLine = 64 * 1024;

export class LineSplitter {
  readonly #decoder = new TextDecoder();
  readonly #emit: (line: string) => void;
  #rest = "";

  constructor(emit: (line: string) => void) {
    this.#emit = emit;
  }

  push(bytes: Uint8Array): void {
    this.#rest += this.#decoder.decode(bytes, { stream: true });
    let from = 0;
    for (let at = this.#rest.indexOf("\n"); at >= 0; at = this.#rest.indexOf("\n", from)) {
      this.#line(this.#rest.slice(from, at));
      from = at + 1;
    }
    this.#rest = this.#rest.slice(from);
    while (this.#rest.length > maxLine) {
      this.#line(this.#rest.slice(0, maxLine));
      this.#rest = this.#rest.slice(maxLine);
    }
  }

  end(): void {
    this.#rest += this.#decoder.decode();
    if (this.#rest !== "") this.#line(this.#rest);
    this.#rest = "";
  }

  #line(line: string): void {
    this.#emit(line.endsWith("\r") ? line.slice(0, -1) : line);
  }
}

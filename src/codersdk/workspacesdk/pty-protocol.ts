/**
 * The reconnecting terminal's protocol on an agent's port 2 (spec network §15). The client begins with
 *
 *   length u16 LE │ JSON {ID, Height, Width, Command, Container, ContainerUser, BackendType}
 *
 * then sends objects {data?, height?, width?} back to back; the agent sends raw terminal bytes. Both ends use this file.
 */

export interface PtyInit {
  /** UUID: the same one finds a running terminal again. */
  readonly id: string;
  readonly height: number;
  readonly width: number;
  readonly command: string;
  readonly container: string;
  readonly containerUser: string;
  readonly backendType: string;
}

export interface PtyRequest {
  readonly data: string;
  readonly height: number;
  readonly width: number;
}

const maxInit = 0xffff;
/** A paste may be large; more in one object is refused. */
const maxRequest = 1 << 20;
const maxSide = 0xffff;

export function encodePtyInit(init: PtyInit): Buffer {
  const json = Buffer.from(
    JSON.stringify({
      ID: init.id,
      Height: init.height,
      Width: init.width,
      Command: init.command,
      Container: init.container,
      ContainerUser: init.containerUser,
      BackendType: init.backendType,
    }),
  );
  if (json.length > maxInit) {
    throw new Error(`a terminal's first message of ${json.length} bytes is too long`);
  }
  const length = Buffer.alloc(2);
  length.writeUInt16LE(json.length);
  return Buffer.concat([length, json]);
}

/** How many bytes of `data` the first message takes, and what it says; undefined while it is incomplete. */
export function decodePtyInit(data: Buffer): { readonly init: PtyInit; readonly length: number } | undefined {
  if (data.length < 2) return undefined;
  const length = 2 + data.readUInt16LE(0);
  if (data.length < length) return undefined;
  const value = parseObject(data.toString("utf8", 2, length));
  return {
    length,
    init: {
      id: asText(value["ID"]),
      height: asSide(value["Height"]),
      width: asSide(value["Width"]),
      command: asText(value["Command"]),
      container: asText(value["Container"]),
      containerUser: asText(value["ContainerUser"]),
      backendType: asText(value["BackendType"]),
    },
  };
}

/** Zero values are left out, as stock clients do. */
export function encodePtyRequest(request: Partial<PtyRequest>): Buffer {
  return Buffer.from(
    JSON.stringify({
      ...(request.data ? { data: request.data } : {}),
      ...(request.height ? { height: request.height } : {}),
      ...(request.width ? { width: request.width } : {}),
    }),
  );
}

export function decodePtyRequest(json: string): PtyRequest {
  const value = parseObject(json);
  return { data: asText(value["data"]), height: asSide(value["height"]), width: asSide(value["width"]) };
}

/** Cuts a stream of JSON objects without separators. Throws for anything but objects, and for too long ones. */
export class PtyRequestReader {
  #held: Buffer = Buffer.alloc(0);
  #scanned = 0;
  #depth = 0;
  #inString = false;
  #escaped = false;

  *push(piece: Buffer): Generator<PtyRequest, void> {
    this.#held = this.#held.length === 0 ? piece : Buffer.concat([this.#held, piece]);
    while (this.#scanned < this.#held.length) {
      const end = this.#scan(this.#held.readUInt8(this.#scanned++));
      if (this.#scanned > maxRequest) throw new Error("a terminal request is too long");
      if (!end) continue;
      const json = this.#held.toString("utf8", 0, this.#scanned);
      this.#held = this.#held.subarray(this.#scanned);
      this.#scanned = 0;
      yield decodePtyRequest(json);
    }
  }

  /** Takes one byte; true at the end of an object. */
  #scan(byte: number): boolean {
    if (this.#inString) {
      if (this.#escaped) this.#escaped = false;
      else if (byte === 0x5c) this.#escaped = true;
      else if (byte === 0x22) this.#inString = false;
      return false;
    }
    if (byte === 0x22) this.#inString = true;
    else if (byte === 0x7b) this.#depth++;
    else if (byte === 0x7d && --this.#depth === 0) return true;
    if (this.#depth < 0 || (this.#depth === 0 && byte > 0x20)) {
      throw new Error("expected a JSON object from the terminal's client");
    }
    return false;
  }
}

function parseObject(json: string): Readonly<Record<string, unknown>> {
  const value: unknown = JSON.parse(json);
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new Error("expected a JSON object from the terminal's client");
  }
  return Object.fromEntries(Object.entries(value));
}

function asText(value: unknown): string {
  return typeof value === "string" ? value : "";
}

/** Rows or columns; what no terminal has counts as not given. */
function asSide(value: unknown): number {
  return typeof value === "number" && Number.isInteger(value) && value > 0 && value <= maxSide ? value : 0;
}

/** Checkers of the yamux kinds. */
import assert from "node:assert/strict";
import { Duplex, duplexPair } from "node:stream";
import { encodeHeader, flag, FrameDecoder, frameType, type FrameHeader } from "#rpc/yamux/frame.ts";
import { YamuxSession } from "#rpc/yamux/session.ts";
import { bytes, fields, items, text, type Checker, type Vector } from "./checker.ts";

export const yamuxCheckers: Readonly<Record<string, Checker>> = {
  "yamux.session": (vector) => {
    for (const side of ["client", "server"]) checkSide(fields(vector[side]));
  },
  "yamux.hostile": hostile,
  "yamux.credit": credit,
};

const typeNames: Readonly<Record<string, FrameHeader["type"]>> = {
  data: frameType.data,
  window_update: frameType.windowUpdate,
  ping: frameType.ping,
  go_away: frameType.goAway,
};
const flagBits: Readonly<Record<string, number>> = {
  SYN: flag.syn,
  ACK: flag.ack,
  FIN: flag.fin,
  RST: flag.rst,
};

interface Frame {
  readonly header: FrameHeader;
  readonly body: string;
}

function decodeFrames(data: Buffer): Frame[] {
  const frames: { header: FrameHeader; body: string }[] = [];
  for (const event of new FrameDecoder().push(data)) {
    const last = frames.at(-1);
    if (event.kind === "header") frames.push({ header: event.header, body: "" });
    else if (last) last.body += event.data.toString("hex");
  }
  return frames;
}

function checkSide(side: Readonly<Record<string, unknown>>): void {
  const expected = items(side["frames"]).map((frame) => ({
    header: {
      type: typeNames[text(frame["type"])],
      flags: Array.isArray(frame["flags"])
        ? frame["flags"].reduce<number>((sum, name) => sum | (flagBits[text(name)] ?? 0), 0)
        : 0,
      stream: frame["stream"],
      length: frame["length"],
    },
    body: frame["body"] ?? "",
  }));
  const decoded = decodeFrames(bytes(side["hex"]));
  assert.deepEqual(decoded, expected);
  const encoded = decoded.map(({ header, body }) => encodeHeader(header).toString("hex") + body).join("");
  assert.equal(encoded, side["hex"]);
}

/** The far end of a session's transport: what it wrote so far. */
function wire(): { transport: Duplex; far: Duplex; written: () => Buffer } {
  const [transport, far] = duplexPair();
  const parts: Buffer[] = [];
  far.on("data", (part: Buffer) => parts.push(part));
  return { transport, far, written: () => Buffer.concat(parts) };
}

async function settle(): Promise<void> {
  for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve));
}

async function hostile(vector: Vector): Promise<void> {
  const { transport, far, written } = wire();
  const session = YamuxSession.start(transport, { role: "server", keepAliveMs: 0 });
  far.write(bytes(vector["input"]));
  await settle();
  assert.deepEqual(
    { reply: written().toString("hex"), closed: session.signal.aborted },
    { reply: vector["reply"], closed: vector["session_closed"] },
  );
  session.close();
}

/** A sender that fills the window, against a reader that takes `read_chunk` bytes at a time. */
async function credit(vector: Vector): Promise<void> {
  const total = Number(vector["total"]);
  const chunk = Number(vector["read_chunk"]);
  const [a, b] = duplexPair();
  const sent: Frame[] = [];
  const credits: number[] = [];
  const client = YamuxSession.start(
    tap(a, (data) => sent.push(...decodeFrames(data))),
    { role: "client", keepAliveMs: 0 },
  );
  const server = YamuxSession.start(
    tap(b, (data) => credits.push(...decodeFrames(data).map(({ header }) => header.length))),
    { role: "server", keepAliveMs: 0 },
  );
  client.open().write(Buffer.alloc(total));
  const { value: stream } = await server.incoming().next();
  assert.ok(stream);
  let got = 0;
  while (got < total) {
    const data: unknown = stream.read(Math.min(chunk, total - got));
    if (Buffer.isBuffer(data)) got += data.length;
    else await settle();
  }
  await settle();
  const expected = vector["credits"];
  client.close();
  server.close();
  assert.deepEqual(credits.slice(0, Array.isArray(expected) ? expected.length : 0), expected);
  assert.equal(
    sent.find(({ header }) => header.type === frameType.data)?.header.length,
    vector["first_data_frame"],
  );
}

/** Passes a transport on and shows each write: headers alone, since bodies of big frames are written apart. */
function tap(inner: Duplex, onWrite: (data: Buffer) => void): Duplex {
  const outer = new Duplex({
    read: () => {},
    write(data: Buffer, _encoding, done) {
      if (data.length === 12) onWrite(data);
      inner.write(data, done);
    },
    final: (done) => void inner.end(done),
  });
  inner.on("data", (data: Buffer) => outer.push(data));
  inner.on("end", () => outer.push(null));
  return outer;
}

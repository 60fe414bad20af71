/**
 * The far end of `coder speedtest`, on port 3 of the tailnet (Tailscale's protocol, version 2):
 *
 *     client ─▶ {"version":2,"time":<nanoseconds>,"direction":0 we send | 1 we receive}\n
 *     server ─▶ {} or {"error":"…"}\n
 *     then blocks of random bytes one way for that time; the sender closes
 */
import { randomFillSync } from "node:crypto";
import type { Duplex } from "node:stream";
import type { Clock } from "#quartz/clock.ts";

const version = 2;
const blockBytes = 2 << 20;
const chunkBytes = 64 << 10;
const maxRequest = 4096;
const maxMs = 60_000;
/** For the client to say what it wants, and to close after a test. */
const graceMs = 10_000;

export async function serveSpeedtest(stream: Duplex, clock: Clock): Promise<void> {
  let late = clock.timer(graceMs, () => void stream.destroy(), { tag: "speedtest" });
  stream.on("error", () => stream.destroy());
  try {
    const asked = await readRequest(stream);
    if (asked.version !== version) {
      const error = `version mismatch! Server is version ${version}, client is version ${asked.version}`;
      stream.end(`${JSON.stringify({ error })}\n`);
      return;
    }
    late.stop();
    late = clock.timer(asked.ms + graceMs, () => void stream.destroy(), { tag: "speedtest" });
    stream.write("{}\n");
    if (asked.sends) await send(stream, asked.ms, clock);
    else await receive(stream);
  } finally {
    late.stop();
    stream.end();
  }
}

async function readRequest(stream: Duplex): Promise<{ version: number; ms: number; sends: boolean }> {
  let text = "";
  while (!text.includes("\n")) {
    const chunk: unknown = stream.read();
    // What a hasty client sends behind its request is part of the test, and counts for nothing.
    if (Buffer.isBuffer(chunk)) text += chunk.toString("latin1");
    else if (stream.readableEnded || stream.destroyed) break;
    else await anyOf(stream, ["readable", "end", "close"]);
    if (text.length > maxRequest && !text.slice(0, maxRequest).includes("\n")) {
      throw new Error("the request of a speed test is too long");
    }
  }
  const value: unknown = JSON.parse(text.split("\n", 1)[0] ?? "");
  const number = (name: string): number => {
    const field: unknown = typeof value === "object" && value !== null ? Reflect.get(value, name) : undefined;
    return typeof field === "number" ? field : 0;
  };
  const ms = Math.min(Math.max(number("time") / 1e6, 0), maxMs);
  return { version: number("version"), ms, sends: number("direction") === 0 };
}

async function send(stream: Duplex, ms: number, clock: Clock): Promise<void> {
  const block = randomFillSync(Buffer.allocUnsafe(blockBytes));
  const end = clock.monotonic() + ms;
  while (clock.monotonic() < end && !stream.destroyed) {
    for (let at = 0; at < block.length && !stream.destroyed; at += chunkBytes) {
      if (stream.write(block.subarray(at, at + chunkBytes))) continue;
      await anyOf(stream, ["drain", "close"]);
    }
  }
}

async function receive(stream: Duplex): Promise<void> {
  stream.resume();
  if (stream.readableEnded || stream.destroyed) return;
  await anyOf(stream, ["end", "close"]);
}

/** Resolves at the first of the events. */
function anyOf(stream: Duplex, names: readonly string[]): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      for (const name of names) stream.off(name, done);
      resolve();
    };
    for (const name of names) stream.once(name, done);
  });
}

/** Sends one recorded request as it is on the wire: no client library decides anything. */
import { request as httpRequest } from "node:http";
import { gunzipSync } from "node:zlib";
import { WebSocket } from "ws";
import type { Frame, Request } from "./steps.ts";
import type { Values } from "./values.ts";

export interface Got {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Buffer;
  /** Of a WebSocket, in order. */
  readonly frames: readonly { readonly data: Buffer; readonly binary: boolean }[];
  readonly close: { readonly code: number; readonly reason: string } | undefined;
}

/** An event stream never ends by itself. */
const streamMs = 1500;
const betweenFramesMs = 150;

export function bodyOf(body: unknown, values: Values): Buffer | undefined {
  if (body === undefined) return undefined;
  if (typeof body === "object" && body !== null) {
    if ("text" in body && typeof body.text === "string") return Buffer.from(values.fill(body.text));
    if ("gzip_base64" in body && typeof body.gzip_base64 === "string") {
      return gunzipSync(Buffer.from(body.gzip_base64, "base64"));
    }
    if ("zeros" in body && typeof body.zeros === "number") return Buffer.alloc(body.zeros);
  }
  return Buffer.from(values.fill(JSON.stringify(expand(body))));
}

/** `{"{repeat}": [text, n]}` is that text n times. */
function expand(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(expand);
  if (typeof value !== "object" || value === null) return value;
  if ("{repeat}" in value && Array.isArray(value["{repeat}"])) {
    const [text, count] = value["{repeat}"];
    return String(text).repeat(Number(count));
  }
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, expand(inner)]));
}

function headersOf(request: Request, token: string | undefined, values: Values): Record<string, string> {
  const headers: Record<string, string> = { Accept: "application/json" };
  if (token !== undefined) headers["Coder-Session-Token"] = token;
  if (request.body !== undefined) headers["Content-Type"] = "application/json";
  for (const [name, value] of Object.entries(request.headers ?? {})) headers[name] = values.fill(value);
  return headers;
}

export function send(
  base: string,
  request: Request,
  token: string | undefined,
  values: Values,
): Promise<Got> {
  const { hostname, port } = new URL(base);
  const body = bodyOf(request.body, values);
  const headers: Record<string, string | number> = headersOf(request, token, values);
  if (body !== undefined) headers["Content-Length"] = body.length;
  return new Promise((resolve, reject) => {
    const out = httpRequest({
      hostname,
      port,
      method: request.method,
      path: values.fill(request.path),
      headers,
      agent: false,
    });
    out.on("error", reject);
    out.on("response", (response) => {
      const chunks: Buffer[] = [];
      const done = (): void =>
        resolve({
          status: response.statusCode ?? 0,
          headers: toHeaders(response.rawHeaders),
          body: Buffer.concat(chunks),
          frames: [],
          close: undefined,
        });
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("end", done);
      response.on("error", done);
      if (response.headers["content-type"] === "text/event-stream") {
        setTimeout(() => {
          done();
          out.destroy();
        }, streamMs);
      }
    });
    out.end(body);
  });
}

function toHeaders(raw: readonly string[]): Headers {
  const headers = new Headers();
  for (let at = 0; at + 1 < raw.length; at += 2) headers.append(raw[at] ?? "", raw[at + 1] ?? "");
  return headers;
}

/** Opens the socket, sends the client's frames, and reads until the recorded frames and the close have come. */
export function sendSocket(
  base: string,
  request: Request,
  token: string | undefined,
  values: Values,
  expected: { readonly frames: readonly Frame[]; readonly closes: boolean },
): Promise<Got> {
  const wanted = expected.frames.filter((frame) => frame.dir !== "c").length;
  return new Promise((resolve, reject) => {
    const { "Sec-WebSocket-Protocol": protocol, ...headers } = headersOf(request, token, values);
    const url = base.replace("http", "ws") + values.fill(request.path);
    const socket = new WebSocket(url, protocol === undefined ? [] : [protocol], { headers });
    const frames: { data: Buffer; binary: boolean }[] = [];
    let answered = new Headers();
    const finish = (close: Got["close"]): void => {
      clearTimeout(limit);
      resolve({ status: 101, headers: answered, body: Buffer.alloc(0), frames, close });
      socket.terminate();
    };
    const limit = setTimeout(() => finish(undefined), 15_000);
    socket.on("upgrade", (response) => (answered = toHeaders(response.rawHeaders)));
    socket.on("open", () => void sendFrames(socket, expected.frames, values));
    socket.on("message", (data, binary) => {
      frames.push({
        data: Array.isArray(data) ? Buffer.concat(data) : Buffer.from(new Uint8Array(data)),
        binary,
      });
      if (frames.length >= wanted && !expected.closes) finish(undefined);
    });
    socket.on("close", (code, reason) => finish({ code, reason: reason.toString() }));
    socket.on("error", () => {});
    socket.on("unexpected-response", (_, response) => {
      clearTimeout(limit);
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("error", reject);
      response.on("end", () =>
        resolve({
          status: response.statusCode ?? 0,
          headers: toHeaders(response.rawHeaders),
          body: Buffer.concat(chunks),
          frames: [],
          close: undefined,
        }),
      );
    });
  });
}

async function sendFrames(socket: WebSocket, frames: readonly Frame[], values: Values): Promise<void> {
  for (const frame of frames) {
    if (frame.dir !== "c") continue;
    await new Promise((resolve) => setTimeout(resolve, betweenFramesMs));
    if (frame.base64 !== undefined) socket.send(Buffer.from(frame.base64, "base64"));
    else {
      const text = values.fill(frame.text ?? JSON.stringify(frame.json));
      socket.send(frame.binary ? Buffer.from(text) : text);
    }
  }
}

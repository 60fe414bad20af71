/** What a request for a file of /bin gets, by RFC 9110: preconditions (§13), ranges (§14), codings (§8.4). Pure. */
import type { IncomingHttpHeaders } from "node:http";
import { noneMatch } from "../site/site.ts";
import type { Binary, Coding } from "./binaries.ts";

export type Answer =
  | { readonly status: 304 | 412 | 416; readonly headers: Readonly<Record<string, string>> }
  | {
      readonly status: 200 | 206;
      readonly headers: Readonly<Record<string, string>>;
      readonly coding: Coding;
      /** Of the file in this coding; both ends included. */
      readonly range: { readonly start: number; readonly end: number } | undefined;
    };

/** Best first. Brotli and deflate clients take what they always take, the file as it is. */
export function codingOf(acceptEncoding: string | undefined): Coding {
  const weights = new Map<string, number>();
  for (const part of (acceptEncoding ?? "").split(",")) {
    const [name = "", ...parameters] = part.split(";").map((piece) => piece.trim().toLowerCase());
    const quality = parameters.find((parameter) => parameter.startsWith("q="));
    weights.set(name, quality === undefined ? 1 : Number(quality.slice(2)));
  }
  const takes = (name: string): boolean => (weights.get(name) ?? weights.get("*") ?? 0) > 0;
  return takes("zstd") ? "zstd" : takes("gzip") ? "gzip" : "identity";
}

export function answer(binary: Binary, headers: IncomingHttpHeaders, coding: Coding): Answer {
  const etag = `"${binary.sha1}"`;
  const common = {
    etag,
    "last-modified": binary.modified.toUTCString(),
    "x-original-content-length": String(binary.size),
    vary: "Accept-Encoding",
    "content-type": "application/octet-stream",
  };
  const ifMatch = headers["if-match"];
  if (ifMatch !== undefined && !noneMatch(ifMatch, etag)) return { status: 412, headers: common };
  if (noneMatch(headers["if-none-match"], etag)) return { status: 304, headers: common };
  // Ranges count in the file itself; whoever asks for one has part of that.
  const wanted =
    headers["if-range"] === undefined || headers["if-range"] === etag ? headers.range : undefined;
  const range = parseRange(wanted, binary.size);
  if (range === "unsatisfiable") {
    return { status: 416, headers: { ...common, "content-range": `bytes */${binary.size}` } };
  }
  if (range !== undefined) {
    const { start, end } = range;
    const rangeHeaders = {
      "content-range": `bytes ${start}-${end}/${binary.size}`,
      "content-length": String(end - start + 1),
      "accept-ranges": "bytes",
    };
    return { status: 206, headers: { ...common, ...rangeHeaders }, coding: "identity", range };
  }
  const own: Record<string, string> =
    coding === "identity"
      ? { "content-length": String(binary.size), "accept-ranges": "bytes" }
      : { "content-encoding": coding };
  return { status: 200, headers: { ...common, ...own }, coding, range: undefined };
}

/** One range of bytes; several, or other units, are answered with the whole file, as the RFC allows. */
function parseRange(
  header: string | undefined,
  size: number,
): { start: number; end: number } | "unsatisfiable" | undefined {
  const match = /^bytes=(\d*)-(\d*)$/.exec(header ?? "");
  const [, first = "", last = ""] = match ?? [];
  if (match === null || (first === "" && last === "")) return undefined;
  if (first === "") {
    const length = Number(last);
    return length === 0 || size === 0
      ? "unsatisfiable"
      : { start: Math.max(0, size - length), end: size - 1 };
  }
  const start = Number(first);
  if (start >= size) return "unsatisfiable";
  const end = last === "" ? size - 1 : Math.min(Number(last), size - 1);
  return end < start ? undefined : { start, end };
}

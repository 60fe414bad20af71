/** Encodings and hashes. */
import {
  createHash,
  createPrivateKey,
  privateDecrypt,
  constants,
  type BinaryToTextEncoding,
} from "node:crypto";
import { gunzipSync, gzipSync } from "node:zlib";
import { parse as parseYaml } from "yaml";
import { decodeJson, encodeJson, fromJson, jsonString } from "../cty/json.ts";
import { formatNum } from "../cty/number.ts";
import * as t from "../cty/type.ts";
import * as v from "../cty/value.ts";
import { ValueError, type Value } from "../cty/value.ts";
import type { HclFunction } from "../hcl/scope.ts";
import { arg, define, type FunctionTable, text, textFunction, textOf } from "./define.ts";

const maxInflated = 16 * 1024 * 1024;

/** Strict standard base64, as Go's. */
export function decodeBase64(encoded: string): Buffer {
  const clean = encoded.replace(/[\r\n]/g, "");
  if (clean.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(clean)) {
    throw new ValueError("failed to decode base64 data", 0);
  }
  return Buffer.from(clean, "base64");
}

function utf8(bytes: Buffer): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new ValueError("the result is not valid UTF-8", 0);
  }
}

/** Percent-encoding of a query value: space is `+`. */
const urlEncode = (s: string): string =>
  encodeURIComponent(s)
    .replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`)
    .replaceAll("%20", "+");

const hash = (algorithm: string, encoding: BinaryToTextEncoding): HclFunction =>
  textFunction(1, (s) => createHash(algorithm).update(s).digest(encoding));

function csvRows(source: string): string[][] {
  const rows: string[][] = [];
  let row: string[] = [];
  let field = "";
  let quoted = false;
  let touched = false;
  const endRow = (): void => {
    if (!touched && row.length === 0 && field === "") return;
    row.push(field);
    rows.push(row);
    row = [];
    field = "";
    touched = false;
  };
  for (let at = 0; at < source.length; at += 1) {
    const c = source.charAt(at);
    if (quoted) {
      if (c !== '"') field += c;
      else if (source[at + 1] === '"') {
        field += '"';
        at += 1;
      } else quoted = false;
    } else if (c === '"' && field === "") {
      quoted = true;
      touched = true;
    } else if (c === ",") {
      row.push(field);
      field = "";
      touched = true;
    } else if (c === "\n") endRow();
    else if (c !== "\r" || source[at + 1] !== "\n") field += c;
  }
  if (quoted) throw new ValueError("a quoted field has no end", 0);
  endRow();
  return rows;
}

function csvDecode(source: string): Value {
  const [header, ...rows] = csvRows(source);
  if (!header) throw new ValueError("missing header line", 0);
  if (new Set(header).size !== header.length) throw new ValueError("duplicate column name", 0);
  const of = t.object(new Map(t.sortedEntries(new Map(header.map((name) => [name, t.string])))));
  return v.list(
    of,
    rows.map((row, at) => {
      if (row.length !== header.length) {
        throw new ValueError(`line ${at + 2} has ${row.length} fields, not ${header.length}`, 0);
      }
      return v.object(header.map((name, column) => [name, v.str(row[column] ?? "")] as const));
    }),
  );
}

function yamlDecode(source: string): Value {
  try {
    return fromJson(parseYaml(source, { maxAliasCount: 100, schema: "core", merge: true }));
  } catch (error) {
    throw new ValueError(error instanceof Error ? error.message : "not valid YAML", 0);
  }
}

/** Terraform's style: block form, every key and text quoted. */
function yamlEncode(value: Value, indent: string, depth = 0): string {
  if (depth > 100) throw new ValueError("value is nested too deeply", 0);
  const { content } = value;
  if (content === null) return "null";
  if (typeof content === "string") {
    return content.includes("\n") && !/[^\n -\u{10ffff}]/u.test(content)
      ? yamlBlock(content, indent)
      : jsonString(content);
  }
  if (typeof content === "boolean") return String(content);
  if (v.isNum(content)) return formatNum(content);
  const inner = `${indent}  `;
  if (Array.isArray(content)) {
    if (content.length === 0) return "[]";
    return content
      .map((item: Value) => {
        const body = yamlEncode(item, inner, depth + 1);
        return `${indent}- ${v.isContainer(item) ? body.trimStart() : body}`;
      })
      .join("\n");
  }
  const entries = [...v.entries(value)];
  if (entries.length === 0) return "{}";
  return entries
    .map(([key, item]) => {
      const deeper = v.isContainer(item) && v.items(item).length > 0;
      const sequence = Array.isArray(item.content);
      const body = yamlEncode(item, deeper && sequence ? indent : inner, depth + 1);
      return `${indent}${jsonString(key)}:${deeper ? `\n${body}` : ` ${body}`}`;
    })
    .join("\n");
}

function yamlBlock(content: string, indent: string): string {
  const keep = content.endsWith("\n") ? (content.endsWith("\n\n") ? "|+" : "|") : "|-";
  const lines = content.replace(/\n$/, "").split("\n");
  return `${keep}\n${lines.map((line) => (line === "" ? "" : `${indent}${line}`)).join("\n")}`;
}

function rsaDecrypt(ciphertext: string, pem: string): string {
  try {
    const key = createPrivateKey(pem);
    return utf8(privateDecrypt({ key, padding: constants.RSA_PKCS1_PADDING }, decodeBase64(ciphertext)));
  } catch (error) {
    if (error instanceof ValueError) throw error;
    throw new ValueError("failed to decrypt: the key or the text is not valid");
  }
}

const encodings: Readonly<Record<string, BufferEncoding>> = {
  "utf-8": "utf8",
  utf8: "utf8",
  "utf-16le": "utf16le",
  "iso-8859-1": "latin1",
  "us-ascii": "ascii",
};

function encodingOf(name: string): BufferEncoding {
  const found = Object.hasOwn(encodings, name.toLowerCase()) ? encodings[name.toLowerCase()] : undefined;
  if (!found) throw new ValueError(`${JSON.stringify(name)} is not a supported character encoding here`, 1);
  return found;
}

export const encodingFunctions: FunctionTable = {
  base64encode: textFunction(1, (s) => Buffer.from(s).toString("base64")),
  base64decode: textFunction(1, (s) => utf8(decodeBase64(s))),
  base64gzip: textFunction(1, (s) => gzipSync(s).toString("base64")),
  base64gunzip: textFunction(1, (s) => {
    try {
      return utf8(gunzipSync(decodeBase64(s), { maxOutputLength: maxInflated }));
    } catch (error) {
      throw error instanceof ValueError ? error : new ValueError("failed to decompress the data", 0);
    }
  }),
  textencodebase64: textFunction(2, (s, encoding) => Buffer.from(s, encodingOf(encoding)).toString("base64")),
  textdecodebase64: textFunction(2, (s, encoding) => decodeBase64(s).toString(encodingOf(encoding))),
  urlencode: textFunction(1, urlEncode),
  urldecode: textFunction(1, (s) => {
    try {
      return decodeURIComponent(s.replaceAll("+", " "));
    } catch {
      throw new ValueError("not a valid URL encoding", 0);
    }
  }),
  jsonencode: define(
    { params: [{ type: t.dynamic, nullable: true }], returns: t.string },
    (args, context) => {
      const out = encodeJson(arg(args, 0));
      context.spend(out.length >> 6);
      return v.str(out);
    },
  ),
  jsondecode: define({ params: [text] }, (args, context) => {
    context.spend(textOf(args[0]).length >> 4);
    return decodeJson(textOf(args[0]));
  }),
  yamlencode: define({ params: [{ type: t.dynamic, nullable: true }], returns: t.string }, (args) => {
    return v.str(`${yamlEncode(arg(args, 0), "")}\n`);
  }),
  yamldecode: define({ params: [text] }, (args) => yamlDecode(textOf(args[0]))),
  csvdecode: define({ params: [text] }, (args) => csvDecode(textOf(args[0]))),
  md5: hash("md5", "hex"),
  sha1: hash("sha1", "hex"),
  sha256: hash("sha256", "hex"),
  sha512: hash("sha512", "hex"),
  base64sha256: hash("sha256", "base64"),
  base64sha512: hash("sha512", "base64"),
  rsadecrypt: textFunction(2, rsaDecrypt),
};

/** Files of the template: nothing outside the root folder is read, links included. */
import { createHash } from "node:crypto";
import { readFileSync, realpathSync, statSync, readdirSync } from "node:fs";
import { basename, dirname, isAbsolute, join, matchesGlob, relative, resolve, sep } from "node:path";
import * as t from "../cty/type.ts";
import * as v from "../cty/value.ts";
import { ValueError, type Value } from "../cty/value.ts";
import { convert } from "../cty/convert.ts";
import { evaluate } from "../hcl/evaluate.ts";
import { parseTemplate } from "../hcl/parser.ts";
import type { FunctionContext, HclFunction, Scope } from "../hcl/scope.ts";
import { HclError } from "../hcl/source.ts";
import { any, arg, define, type FunctionTable, text, textFunction, textOf } from "./define.ts";

const maxFile = 8 * 1024 * 1024;
const maxFiles = 10_000;
const maxTemplateDepth = 16;

export interface FileAccess {
  /** Folder that relative paths start from (Terraform: the working directory, which is the root module's). */
  readonly base: string;
  /** Nothing outside of it is read. */
  readonly root: string;
}

function locate(access: FileAccess, path: string): string {
  if (path.includes("\0")) throw new ValueError("path has a NUL character", 0);
  const full = resolve(access.base, path);
  if (!inside(access.root, full)) {
    throw new ValueError(`${JSON.stringify(path)} is outside of the template`, 0);
  }
  return full;
}

const inside = (root: string, full: string): boolean => full === root || full.startsWith(root + sep);

function real(access: FileAccess, path: string): string {
  const full = locate(access, path);
  let resolved: string;
  try {
    resolved = realpathSync(full);
  } catch {
    throw new ValueError(
      `no file exists at ${JSON.stringify(path)}; this function works only with files that are part of the template`,
      0,
    );
  }
  if (!inside(realpathSync(access.root), resolved)) {
    throw new ValueError(`${JSON.stringify(path)} leads outside of the template`, 0);
  }
  return resolved;
}

function read(access: FileAccess, path: string, context: FunctionContext): Buffer {
  const full = real(access, path);
  const stat = statSync(full);
  if (!stat.isFile()) throw new ValueError(`${JSON.stringify(path)} is not a file`, 0);
  if (stat.size > maxFile) {
    throw new ValueError(`${JSON.stringify(path)} has ${stat.size} bytes, at most ${maxFile} are read`, 0);
  }
  context.spend(stat.size >> 6);
  return readFileSync(full);
}

function utf8(bytes: Buffer, path: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new ValueError(`contents of ${JSON.stringify(path)} are not valid UTF-8; use filebase64`, 0);
  }
}

function exists(access: FileAccess, path: string): boolean {
  try {
    const stat = statSync(real(access, path));
    if (!stat.isFile()) throw new ValueError(`${JSON.stringify(path)} is a directory, not a file`, 0);
    return true;
  } catch (error) {
    if (error instanceof ValueError && error.message.startsWith("no file exists")) return false;
    throw error;
  }
}

/** Go's doublestar patterns: `**` crosses folders, `{a,b}` alternatives. */
function fileset(access: FileAccess, path: string, pattern: string): string[] {
  const top = real(access, path);
  const out: string[] = [];
  let seen = 0;
  const walk = (dir: string): void => {
    for (const entry of readdirSync(dir, { withFileTypes: true })) {
      seen += 1;
      if (seen > maxFiles) throw new ValueError(`more than ${maxFiles} files`, 0);
      const full = join(dir, entry.name);
      if (entry.isDirectory()) walk(full);
      else if (entry.isFile()) {
        const name = relative(top, full).split(sep).join("/");
        if (matchesGlob(name, pattern)) out.push(name);
      }
    }
  };
  walk(top);
  return out.sort(t.compareText);
}

/** A template's names are the variables given, and nothing else. */
function templateScope(outer: Scope, variables: ReadonlyMap<string, Value>, depth: number): Scope {
  return {
    budget: outer.budget,
    function(name) {
      const fn = outer.function(name);
      return fn && (name === "templatefile" || name === "templatestring") ? deeper(fn, depth) : fn;
    },
    lookup(name) {
      const value = variables.get(name);
      return value ? { value, used: 0 } : undefined;
    },
  };
}

function deeper(fn: HclFunction, depth: number): HclFunction {
  if (depth >= maxTemplateDepth) throw new ValueError("templates call each other too deeply");
  return fn;
}

function render(
  source: string,
  file: string,
  variables: Value,
  context: FunctionContext,
  depth: number,
): Value {
  if (!(variables.content instanceof Map)) {
    throw new ValueError("the variables must be an object or a map", 1);
  }
  try {
    const expression = parseTemplate(source, file);
    const out = evaluate(expression, templateScope(context.scope, v.entries(variables), depth));
    return out;
  } catch (error) {
    if (!(error instanceof HclError)) throw error;
    const { range, summary, detail } = error.diagnostic;
    throw new ValueError(
      `${range ? `${range.file}:${range.start.line},${range.start.column}: ` : ""}${summary}; ${detail}`,
    );
  }
}

export function fileFunctions(access: FileAccess): FunctionTable {
  const hashed = (algorithm: string, encoding: "hex" | "base64") =>
    define({ params: [text], returns: t.string }, (args, context) =>
      v.str(
        createHash(algorithm)
          .update(read(access, textOf(args[0]), context))
          .digest(encoding),
      ),
    );
  const depth = { now: 0 };
  const nested = (run: () => Value): Value => {
    depth.now += 1;
    try {
      return run();
    } finally {
      depth.now -= 1;
    }
  };
  return {
    file: define({ params: [text], returns: t.string }, (args, context) =>
      v.str(utf8(read(access, textOf(args[0]), context), textOf(args[0]))),
    ),
    filebase64: define({ params: [text], returns: t.string }, (args, context) =>
      v.str(read(access, textOf(args[0]), context).toString("base64")),
    ),
    fileexists: define({ params: [text], returns: t.bool }, (args) =>
      v.bool(exists(access, textOf(args[0]))),
    ),
    fileset: define({ params: [text, text], returns: t.set(t.string) }, (args) =>
      v.set(t.string, fileset(access, textOf(args[0]), textOf(args[1])).map(v.str)),
    ),
    filemd5: hashed("md5", "hex"),
    filesha1: hashed("sha1", "hex"),
    filesha256: hashed("sha256", "hex"),
    filesha512: hashed("sha512", "hex"),
    filebase64sha256: hashed("sha256", "base64"),
    filebase64sha512: hashed("sha512", "base64"),
    templatefile: define({ params: [text, any] }, (args, context) =>
      nested(() => {
        const path = textOf(args[0]);
        return render(utf8(read(access, path, context), path), path, arg(args, 1), context, depth.now);
      }),
    ),
    templatestring: define({ params: [text, any], returns: t.string }, (args, context) =>
      nested(() =>
        convert(render(textOf(args[0]), "templatestring", arg(args, 1), context, depth.now), t.string),
      ),
    ),
    basename: textFunction(1, (path) => (path === "" ? "." : basename(path) || "/")),
    dirname: textFunction(1, dirname),
    abspath: textFunction(1, (path) => resolve(access.base, path)),
    pathexpand: textFunction(1, (path) => {
      if (path === "~" || path.startsWith("~/")) {
        throw new ValueError("the home directory is not available to templates", 0);
      }
      return isAbsolute(path) ? resolve(path) : path;
    }),
  };
}

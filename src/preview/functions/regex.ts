/** Go's regular expressions (RE2: linear time, so that no pattern can hang us). */
import { RE2JS, RE2JSSyntaxException } from "re2js";
import * as t from "../cty/type.ts";
import * as v from "../cty/value.ts";
import { ValueError, type Value } from "../cty/value.ts";

/** Compiles; throws `ValueError` naming what is wrong with the pattern. */
export function compile(pattern: string): RE2JS {
  if (pattern.length > 10_000) throw new ValueError("the pattern is too long", 0);
  try {
    return RE2JS.compile(pattern);
  } catch (error) {
    if (error instanceof RE2JSSyntaxException) {
      throw new ValueError(`invalid regular expression: ${error.message}`, 0);
    }
    throw error;
  }
}

type Match = ReturnType<RE2JS["matcher"]>;

/** The shape of `regex`'s result: text without groups, a tuple of groups, or an object of named groups. */
function captured(expression: RE2JS, match: Match): Value {
  const group = (name: string | number): Value => {
    const found = match.group(name);
    return found === null ? v.nullOf(t.string) : v.str(found);
  };
  const names = Object.keys(expression.namedGroups());
  if (names.length > 0) {
    if (names.length !== expression.groupCount()) {
      throw new ValueError("cannot mix both named and unnamed capture groups", 0);
    }
    return v.object(names.map((name) => [name, group(name)] as const));
  }
  const count = expression.groupCount();
  if (count === 0) return group(0);
  return v.tuple(Array.from({ length: count }, (_none, at) => group(at + 1)));
}

export function regex(pattern: string, subject: string): Value {
  const expression = compile(pattern);
  const match = expression.matcher(subject);
  if (!match.find()) throw new ValueError("pattern did not match any part of the given string", 1);
  return captured(expression, match);
}

export function regexAll(pattern: string, subject: string): Value {
  const expression = compile(pattern);
  const match = expression.matcher(subject);
  const found: Value[] = [];
  while (match.find()) found.push(captured(expression, match));
  const names = Object.keys(expression.namedGroups());
  const of =
    found[0]?.type ??
    (names.length > 0
      ? t.object(new Map(names.map((name) => [name, t.string])))
      : expression.groupCount() > 0
        ? t.tuple(Array.from({ length: expression.groupCount() }, () => t.string))
        : t.string);
  return v.list(of, found);
}

/** `replace`: a pattern between slashes is a regular expression with `$1`, `${1}`, `$name`; else plain text. */
export function replace(subject: string, search: string, replacement: string): string {
  if (search.length <= 1 || !search.startsWith("/") || !search.endsWith("/")) {
    return subject.replaceAll(search, () => replacement);
  }
  const expression = compile(search.slice(1, -1));
  const match = expression.matcher(subject);
  let out = "";
  let from = 0;
  while (match.find()) {
    out += subject.slice(from, match.start()) + expand(replacement, expression, match);
    from = match.end();
  }
  return out + subject.slice(from);
}

/** Go's `Expand`: the longest name after `$` counts; an unknown group is empty. */
function expand(replacement: string, expression: RE2JS, match: Match): string {
  const names = expression.namedGroups();
  return replacement.replace(/\$(?:\$|\{(\w+)\}|(\w+))/g, (all, braced?: string, bare?: string) => {
    if (all === "$$") return "$";
    const name = braced ?? bare ?? "";
    if (/^\d+$/.test(name)) {
      return Number(name) <= expression.groupCount() ? (match.group(Number(name)) ?? "") : "";
    }
    return Object.hasOwn(names, name) ? (match.group(name) ?? "") : "";
  });
}

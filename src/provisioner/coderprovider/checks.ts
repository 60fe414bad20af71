/** Checks of single attributes. */
import type { Check, Json, Problem } from "./types.ts";

export function error(summary: string, detail?: string): Problem {
  return detail === undefined ? { severity: "error", summary } : { severity: "error", summary, detail };
}

export function warning(summary: string): Problem {
  return { severity: "warning", summary };
}

/** A value in a message: texts without quotes, as the configuration's reader knows them. */
export function shown(value: Json): string {
  return typeof value === "string" ? value : (JSON.stringify(value) ?? "a value known after apply");
}

/** Lifts a function that gives a message, or undefined where all is well. */
function check(says: (value: Json, name: string) => string | undefined): Check {
  return (value, name) => {
    const summary = says(value, name);
    return summary === undefined ? [] : [error(summary)];
  };
}

export function oneOf(...allowed: readonly string[]): Check {
  return check((value, name) =>
    typeof value === "string" && allowed.includes(value)
      ? undefined
      : `expected ${name} to be one of ${allowed.map((word) => JSON.stringify(word)).join(", ")}, got ${shown(value)}`,
  );
}

export function atLeast(min: number): Check {
  return check((value, name) =>
    typeof value === "number" && value >= min
      ? undefined
      : `expected ${name} to be at least ${min}, got ${shown(value)}`,
  );
}

export function between(min: number, max: number): Check {
  return check((value, name) =>
    typeof value === "number" && value >= min && value <= max
      ? undefined
      : `expected ${name} to be from ${min} to ${max}, got ${shown(value)}`,
  );
}

/** `max` counts bytes of UTF-8. */
export function atMostBytes(max: number): Check {
  return check((value, name) =>
    typeof value === "string" && Buffer.byteLength(value) <= max
      ? undefined
      : `${name} is too long: at most ${max} bytes of text are allowed`,
  );
}

export const notEmpty: Check = check((value, name) =>
  value === "" ? `${name} must not be empty` : undefined,
);

export function matches(pattern: RegExp, what: string): Check {
  return check((value, name) =>
    typeof value === "string" && pattern.test(value)
      ? undefined
      : `${name} must be ${what}: received ${JSON.stringify(value)}`,
  );
}

export const isUuid: Check = matches(
  /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i,
  "a UUID",
);

export const isUrl: Check = check((value, name) => {
  const problem = typeof value === "string" ? urlProblem(value) : "it is no text";
  return problem === undefined
    ? undefined
    : `${name} must be a URL or a path, but ${problem}: ${JSON.stringify(value)}`;
});

export function all(...checks: readonly Check[]): Check {
  return (value, name) => checks.flatMap((one) => one(value, name));
}

/** Why a text is no URL by the lenient rules of Go's net/url, which take relative ones too. */
export function urlProblem(text: string): string | undefined {
  // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
  if (/[\u0000-\u001f\u007f]/.test(text)) return "it has control characters";
  const [withoutFragment = ""] = text.split("#", 1);
  const fragment = text.slice(withoutFragment.length);
  const [beforeQuery = ""] = withoutFragment.split("?", 1);
  if (/%(?![0-9a-fA-F]{2})/.test(beforeQuery + fragment)) return "it has a percent sign without two digits";
  if (beforeQuery.startsWith(":")) return "its scheme is missing";
  const scheme = /^[a-zA-Z][a-zA-Z0-9+.-]*:/.exec(beforeQuery)?.[0] ?? "";
  if (scheme === "" && (beforeQuery.split("/", 1)[0] ?? "").includes(":")) return "its scheme is malformed";
  const authority = /^\/\/([^/]*)/.exec(beforeQuery.slice(scheme.length))?.[1] ?? "";
  const host = authority.slice(authority.lastIndexOf("@") + 1);
  if (/[\s<>"\\^`{|}]/.test(host)) return "its host has characters that no host has";
  if (/:[^\]]*$/.test(host) && !/:\d*$/.test(host)) return "its port is no number";
  return undefined;
}

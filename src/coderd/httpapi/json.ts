/** Request bodies as Go's decoder takes them: the first JSON value counts, whatever follows it. */
import { decode, WireError } from "#codersdk/wire-decode.ts";
import { validate } from "#codersdk/validate.ts";
import type { Infer, Schema } from "#codersdk/wire.ts";
import { Invalid } from "../errors.ts";

/** Nesting beyond this is an attack, not a request. Go's decoder stops at 10000. */
const maxDepth = 1000;

/** Throws `Invalid` for broken JSON, a wrong type or failing checks. */
export function readBody<S extends Schema>(schema: S, body: Uint8Array | undefined): Infer<S> {
  const value = parse(new TextDecoder().decode(body));
  let decoded: Infer<S>;
  try {
    decoded = decode(schema, value);
  } catch (error) {
    if (error instanceof WireError) throw notJson(error.message, error);
    throw error;
  }
  const validations = validate(schema, decoded);
  if (validations.length > 0) throw new Invalid("Validation failed.", { validations });
  return decoded;
}

const notJson = (detail: string, cause: unknown): Invalid =>
  new Invalid("Request body must be valid JSON.", { detail, cause });

function parse(text: string): unknown {
  const { end, depth } = firstValue(text);
  if (depth > maxDepth) throw notJson(`more than ${maxDepth} levels of nesting`, undefined);
  try {
    return JSON.parse(text.slice(0, end));
  } catch (error) {
    throw notJson(
      text.trim() === "" ? "empty body" : error instanceof Error ? error.message : "broken JSON",
      error,
    );
  }
}

/** Where the first JSON value ends, if the text is well formed so far, and how deep it nests. */
function firstValue(text: string): { readonly end: number; readonly depth: number } {
  let depth = 0;
  let deepest = 0;
  let inString = false;
  for (let at = 0; at < text.length; at++) {
    const char = text[at];
    if (inString) {
      if (char === "\\") at++;
      else if (char === '"') inString = false;
      if (!inString && depth === 0) return { end: at + 1, depth: deepest };
    } else if (char === '"') inString = true;
    else if (char === "{" || char === "[") deepest = Math.max(deepest, ++depth);
    else if ((char === "}" || char === "]") && --depth <= 0) return { end: at + 1, depth: deepest };
  }
  return { end: text.length, depth: deepest };
}

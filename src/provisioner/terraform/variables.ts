/**
 * Values of template variables, as a file for `-var-file`: as arguments (`-var`) every user of the machine could read
 * them in the list of processes. A value means what it would mean after `-var`: plain text for a variable of a
 * primitive type or of none, an expression for any other.
 */
import type { TemplateVariable, VariableValue } from "#rpc/gen/provisionersdk_pb.js";

const plainTypes = new Set(["", "string", "number", "bool"]);

const escapes = new Map([
  ["\n", "\\n"],
  ["\r", "\\r"],
  ["\t", "\\t"],
  ['"', '\\"'],
  ["\\", "\\\\"],
]);

/**
 * A quoted string of HCL. Dollar and percent signs, which may begin a template, are written by their code: how they
 * escape each other depends on what stands before them.
 */
function quoted(text: string): string {
  // oxlint-disable-next-line no-control-regex -- control characters cannot stand in a quoted string
  const escaped = text.replaceAll(/["\\$%\u0000-\u001f\u007f]/g, (char) => {
    const code = char.charCodeAt(0).toString(16).padStart(4, "0");
    return escapes.get(char) ?? `\\u${code}`;
  });
  return `"${escaped}"`;
}

/** A name that could be read as more than a name is none that a template can declare. */
const namePattern = /^[\p{L}_][\p{L}\p{N}_-]*$/u;

/** Throws an Error that names a variable which no template can have. */
export function variablesFile(
  values: readonly VariableValue[],
  declared: readonly TemplateVariable[],
): string {
  const types = new Map(declared.map(({ name, type }) => [name, type.trim()]));
  const lines = values.map(({ name, value }) => {
    if (!namePattern.test(name)) throw new Error(`this is no name of a variable: ${JSON.stringify(name)}`);
    return `${name} = ${plainTypes.has(types.get(name) ?? "") ? quoted(value) : value}\n`;
  });
  return lines.join("");
}

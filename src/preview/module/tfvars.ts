/** Values of root variables: `terraform.tfvars`, `*.auto.tfvars` and their JSON forms, and texts given from outside. */
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { decodeJson } from "../cty/json.ts";
import * as v from "../cty/value.ts";
import { ValueError, type Value } from "../cty/value.ts";
import { type Expression, rangeOf } from "../hcl/ast.ts";
import { evaluate } from "../hcl/evaluate.ts";
import { parseExpressionText, parseFile } from "../hcl/parser.ts";
import type { Scope } from "../hcl/scope.ts";
import { type Diagnostic, HclError } from "../hcl/source.ts";
import type { ModuleConfig, VariableConfig } from "./config.ts";

const maxFileBytes = 4 * 1024 * 1024;

/** Later files win: `terraform.tfvars`, `terraform.tfvars.json`, then `*.auto.tfvars[.json]` by name. */
export function readTfvars(
  dir: string,
  scope: Scope,
  diagnostics: Diagnostic[],
  /** Upstream's forms read every `*.tfvars.json`. */
  options: { readonly anyJson?: boolean } = {},
): Map<string, Value> {
  const out = new Map<string, Value>();
  const names = readdirSync(dir)
    .filter(
      (name) =>
        /\.auto\.tfvars(?:\.json)?$/.test(name) ||
        (options.anyJson === true && name.endsWith(".tfvars.json")),
    )
    .sort();
  for (const name of ["terraform.tfvars", "terraform.tfvars.json", ...names]) {
    let text: string;
    try {
      const full = join(dir, name);
      if (!statSync(full).isFile() || statSync(full).size > maxFileBytes) continue;
      text = readFileSync(full, "utf8");
    } catch {
      continue;
    }
    try {
      if (name.endsWith(".json")) for (const [key, value] of v.entries(decodeJson(text))) out.set(key, value);
      else readFile(name, text, scope, out, diagnostics);
    } catch (error) {
      if (error instanceof HclError) diagnostics.push(error.diagnostic);
      else if (error instanceof ValueError) {
        diagnostics.push({
          severity: "error",
          summary: "Invalid variables file",
          detail: `${name}: ${error.message}`,
        });
      } else throw error;
    }
  }
  return out;
}

function readFile(
  name: string,
  text: string,
  scope: Scope,
  out: Map<string, Value>,
  diagnostics: Diagnostic[],
): void {
  const parsed = parseFile(name, text);
  diagnostics.push(...parsed.diagnostics);
  for (const attribute of parsed.body?.attributes.values() ?? []) {
    out.set(attribute.name, evaluate(attribute.value, scope));
  }
}

/** A value given as text: literal for strings, an expression for other types. Throws `HclError`. */
export function textValue(variable: VariableConfig | undefined, text: string, scope: Scope): Value {
  if (!variable?.type || isStringType(variable.type)) return v.str(text);
  try {
    return evaluate(parseExpressionText(text, `value of variable ${variable.name}`), scope);
  } catch (error) {
    if (error instanceof HclError) {
      throw new HclError(
        "Invalid value for variable",
        `${variable.name}: ${error.diagnostic.detail}`,
        rangeOf(variable.type),
      );
    }
    throw error;
  }
}

function isStringType(type: Expression): boolean {
  if (type.kind === "variable") return type.name === "string" || type.name === "any";
  return type.kind === "literal";
}

/** Variables without a default that nobody gave. */
export function missingVariables(root: ModuleConfig, given: ReadonlyMap<string, Value>): VariableConfig[] {
  return [...root.variables.values()].filter((variable) => !variable.default && !given.has(variable.name));
}

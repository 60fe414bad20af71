/** Folder of `.tf` files → `ModuleConfig`, local and cached modules included. Reads nothing outside of the root folder. */
import { readdirSync, readFileSync, realpathSync, statSync } from "node:fs";
import { join, resolve, sep } from "node:path";
import { type Attribute, type Block, type Expression, headRange, rangeOf } from "../hcl/ast.ts";
import { parseJsonFile } from "../hcl/json-syntax.ts";
import { parseFile } from "../hcl/parser.ts";
import type { Diagnostic, Source } from "../hcl/source.ts";
import type {
  CallConfig,
  ModuleConfig,
  OutputConfig,
  Reference,
  ResourceConfig,
  VariableConfig,
} from "./config.ts";
import { isOverride, mergeOverrides, type NamedBody } from "./override.ts";
import { references } from "./references.ts";

const maxModules = 500;
const maxModuleDepth = 20;
const maxFiles = 2000;
const maxFileBytes = 8 * 1024 * 1024;

interface Loading {
  readonly root: string;
  /** `.terraform/modules/modules.json`: dotted call path → folder. */
  readonly cached: ReadonlyMap<string, string>;
  count: number;
}

/** Never throws for what the files contain: mistakes are in `diagnostics` of each module. */
export function loadModule(root: string): ModuleConfig {
  const real = realpathSync(root);
  return load({ root: real, cached: readCache(real), count: 0 }, real, []);
}

function readCache(root: string): Map<string, string> {
  const out = new Map<string, string>();
  let parsed: unknown;
  try {
    parsed = JSON.parse(readFileSync(join(root, ".terraform/modules/modules.json"), "utf8"));
  } catch {
    return out;
  }
  const list: unknown =
    typeof parsed === "object" && parsed !== null && "Modules" in parsed ? parsed.Modules : [];
  if (!Array.isArray(list)) return out;
  for (const entry of list) {
    const { Key: key, Dir: dir }: { Key?: unknown; Dir?: unknown } = Object(entry);
    if (typeof key === "string" && typeof dir === "string" && key !== "") out.set(key, dir);
  }
  return out;
}

interface Draft {
  readonly variables: Map<string, VariableConfig>;
  readonly locals: Map<string, Attribute>;
  readonly resources: Map<string, ResourceConfig>;
  readonly calls: Map<string, CallConfig>;
  readonly outputs: Map<string, OutputConfig>;
  readonly providers: Block[];
  readonly settings: Block[];
  readonly others: Block[];
}

function load(loading: Loading, dir: string, path: readonly string[]): ModuleConfig {
  loading.count += 1;
  const diagnostics: Diagnostic[] = [];
  const { bodies, sources } = readBodies(dir, loading.root, diagnostics);
  const draft: Draft = {
    variables: new Map(),
    locals: new Map(),
    resources: new Map(),
    calls: new Map(),
    outputs: new Map(),
    providers: [],
    settings: [],
    others: [],
  };
  const duplicate = (block: Block, what: string): void => {
    diagnostics.push({
      severity: "error",
      summary: `Duplicate ${what}`,
      detail: `${block.type} ${block.labels.map((label) => JSON.stringify(label)).join(" ")} was declared before.`,
      range: headRange(block),
    });
  };
  for (const { body } of bodies) {
    for (const attribute of body.attributes.values()) {
      diagnostics.push({
        severity: "error",
        summary: "Unsupported argument",
        detail: `An argument named ${JSON.stringify(attribute.name)} is not expected here.`,
        range: rangeOf(attribute),
      });
    }
    for (const block of body.blocks) {
      const [first = "", second = ""] = block.labels;
      if (!labelsFit(block, diagnostics)) continue;
      switch (block.type) {
        case "variable":
          if (draft.variables.has(first)) duplicate(block, "variable declaration");
          else draft.variables.set(first, variable(first, block));
          break;
        case "locals":
          for (const attribute of block.body.attributes.values()) {
            if (draft.locals.has(attribute.name)) {
              duplicate(block, `local value ${JSON.stringify(attribute.name)}`);
            } else draft.locals.set(attribute.name, attribute);
          }
          break;
        case "output":
          if (draft.outputs.has(first)) duplicate(block, "output definition");
          else draft.outputs.set(first, output(first, block));
          break;
        case "resource":
        case "data": {
          const config = resource(
            block.type === "data" ? "data" : "managed",
            first,
            second,
            block,
            diagnostics,
          );
          if (draft.resources.has(config.key)) duplicate(block, `${block.type} configuration`);
          else draft.resources.set(config.key, config);
          break;
        }
        case "module":
          if (draft.calls.has(first)) duplicate(block, "module call");
          else draft.calls.set(first, call(loading, dir, path, first, block, diagnostics));
          break;
        case "provider":
          draft.providers.push(block);
          break;
        case "terraform":
          draft.settings.push(block);
          break;
        default:
          draft.others.push(block);
      }
    }
  }
  return { dir, path, ...draft, sources, diagnostics };
}

const labelCounts: Readonly<Record<string, number>> = {
  variable: 1,
  locals: 0,
  output: 1,
  resource: 2,
  data: 2,
  module: 1,
  provider: 1,
  terraform: 0,
};

function labelsFit(block: Block, diagnostics: Diagnostic[]): boolean {
  const want = Object.hasOwn(labelCounts, block.type) ? labelCounts[block.type] : undefined;
  if (want === undefined || block.labels.length === want) return true;
  diagnostics.push({
    severity: "error",
    summary:
      block.labels.length < want ? `Missing name for ${block.type}` : `Extraneous label for ${block.type}`,
    detail: `All ${block.type} blocks must have ${want} labels, this one has ${block.labels.length}.`,
    range: headRange(block),
  });
  return false;
}

function readBodies(
  dir: string,
  root: string,
  diagnostics: Diagnostic[],
): { readonly bodies: readonly NamedBody[]; readonly sources: readonly Source[] } {
  const primary: NamedBody[] = [];
  const overrides: NamedBody[] = [];
  const sources: Source[] = [];
  const names = readdirSync(dir, { withFileTypes: true })
    .filter((entry) => (entry.isFile() || entry.isSymbolicLink()) && /\.tf(?:\.json)?$/.test(entry.name))
    .map((entry) => entry.name)
    .filter((name) => !name.startsWith(".") && !name.endsWith("~"))
    .sort();
  for (const name of names.slice(0, maxFiles)) {
    const full = join(dir, name);
    const shown = full.slice(root.length + 1);
    let text: string;
    try {
      const real = realpathSync(full);
      if (!real.startsWith(root + sep) || statSync(real).size > maxFileBytes) {
        throw new Error("outside or too large");
      }
      text = readFileSync(real, "utf8");
    } catch {
      diagnostics.push({
        severity: "error",
        summary: "Failed to read file",
        detail: `The file ${shown} cannot be read.`,
      });
      continue;
    }
    const parsed = name.endsWith(".json") ? parseJsonFile(shown, text) : parseFile(shown, text);
    sources.push(parsed.source);
    diagnostics.push(...parsed.diagnostics);
    if (!parsed.body) continue;
    (isOverride(name) ? overrides : primary).push({ name, body: parsed.body });
  }
  if (overrides.length === 0) return { bodies: primary, sources };
  const merged = mergeOverrides(primary, overrides);
  diagnostics.push(...merged.diagnostics);
  return { bodies: merged.bodies, sources };
}

const flag = (block: Block, name: string, otherwise: boolean): boolean => {
  const value = block.body.attributes.get(name)?.value;
  return value?.kind === "literal" && typeof value.value.content === "boolean"
    ? value.value.content
    : otherwise;
};

function variable(name: string, block: Block): VariableConfig {
  const type = block.body.attributes.get("type")?.value;
  const fallback = block.body.attributes.get("default")?.value;
  return {
    name,
    block,
    ...(type ? { type } : {}),
    ...(fallback ? { default: fallback } : {}),
    nullable: flag(block, "nullable", true),
    sensitive: flag(block, "sensitive", false),
  };
}

function output(name: string, block: Block): OutputConfig {
  const value = block.body.attributes.get("value")?.value;
  return {
    name,
    block,
    ...(value ? { value } : {}),
    sensitive: flag(block, "sensitive", false),
    dependsOn: dependsOn(block),
  };
}

function dependsOn(block: Block): Reference[] {
  const list = block.body.attributes.get("depends_on")?.value;
  if (list?.kind !== "tuple") return [];
  return list.items.flatMap((item) => references(unquoted(item)));
}

const unquoted = (item: Expression): Expression => (item.kind === "wrap" ? item.inner : item);

interface Expansion {
  readonly count?: Expression;
  readonly forEach?: Expression;
}

function expansion(block: Block): Expansion {
  const count = block.body.attributes.get("count")?.value;
  const forEach = block.body.attributes.get("for_each")?.value;
  return { ...(count ? { count } : {}), ...(forEach ? { forEach } : {}) };
}

function resource(
  mode: "managed" | "data",
  type: string,
  name: string,
  block: Block,
  diagnostics: Diagnostic[],
): ResourceConfig {
  const lifecycle = block.body.blocks.find((inner) => inner.type === "lifecycle");
  const connection = block.body.blocks.find((inner) => inner.type === "connection");
  const provider = block.body.attributes.get("provider")?.value;
  if (block.body.attributes.has("count") && block.body.attributes.has("for_each")) {
    diagnostics.push({
      severity: "error",
      summary: 'Invalid combination of "count" and "for_each"',
      detail: 'The "count" and "for_each" meta-arguments are mutually exclusive.',
      range: headRange(block),
    });
  }
  return {
    mode,
    type,
    name,
    key: mode === "data" ? `data.${type}.${name}` : `${type}.${name}`,
    block,
    ...expansion(block),
    ...(provider ? { provider } : {}),
    dependsOn: dependsOn(block),
    ...(lifecycle ? { lifecycle } : {}),
    provisioners: block.body.blocks.filter((inner) => inner.type === "provisioner"),
    ...(connection ? { connection } : {}),
  };
}

function call(
  loading: Loading,
  dir: string,
  path: readonly string[],
  name: string,
  block: Block,
  diagnostics: Diagnostic[],
): CallConfig {
  const given = block.body.attributes.get("source")?.value;
  const source =
    given?.kind === "literal" && typeof given.value.content === "string" ? given.value.content : undefined;
  const inner = [...path, name];
  const folder = locate(loading, dir, inner, source);
  let module: ModuleConfig | undefined;
  if (folder !== undefined) {
    if (loading.count >= maxModules || inner.length > maxModuleDepth) {
      diagnostics.push({
        severity: "error",
        summary: "Too many modules",
        detail: `A template may have ${maxModules} modules, nested ${maxModuleDepth} deep.`,
        range: headRange(block),
      });
    } else module = load(loading, folder, inner);
  }
  return {
    name,
    block,
    ...(source === undefined ? {} : { source }),
    ...expansion(block),
    dependsOn: dependsOn(block),
    ...(module ? { module } : {}),
  };
}

function locate(
  loading: Loading,
  dir: string,
  path: readonly string[],
  source: string | undefined,
): string | undefined {
  const cached = loading.cached.get(path.join("."));
  const wanted =
    cached !== undefined
      ? resolve(loading.root, cached)
      : source !== undefined && /^\.\.?\//.test(source)
        ? resolve(dir, source)
        : undefined;
  if (wanted === undefined) return undefined;
  try {
    const real = realpathSync(wanted);
    const within = real === loading.root || real.startsWith(loading.root + sep);
    return within && statSync(real).isDirectory() ? real : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Whether this engine knows a template as a whole: engine `auto` asks before the first effect. Every reason names file,
 * line and construct.
 */
import { rangeOf, type Block, type Expression, headRange } from "#preview/hcl/ast.ts";
import type { Diagnostic, Range } from "#preview/hcl/source.ts";
import {
  allModules,
  metaAttributes,
  metaBlocks,
  type ModuleConfig,
  type ResourceConfig,
} from "#preview/module/config.ts";
import { loadModule } from "#preview/module/load.ts";
import { readState } from "./state.ts";
import { cryptoRand } from "#cryptorand/cryptorand.ts";
import { dockerProviderSchema } from "./docker/access.ts";
import type { ManagedType } from "./types/native-type.ts";
import { findType } from "./types/table.ts";

export interface Reason {
  /** Absent where it concerns no place of a file. */
  readonly file?: string;
  readonly line?: number;
  readonly construct: string;
}

export type Support = { readonly ok: true } | { readonly ok: false; readonly reasons: readonly Reason[] };

/** `main.tf line 3: resource type docker_container` */
export const reasonText = ({ file, line, construct }: Reason): string =>
  file === undefined ? construct : `${file} line ${line ?? 1}: ${construct}`;

/** Local provider name → source that this engine stands in for. */
const providers: Readonly<Record<string, string>> = {
  coder: "coder/coder",
  random: "hashicorp/random",
  null: "hashicorp/null",
  time: "hashicorp/time",
  local: "hashicorp/local",
  docker: "kreuzwerker/docker",
  terraform: "terraform.io/builtin/terraform",
};

const reason = (range: Range, construct: string): Reason => ({
  file: range.file,
  line: range.start.line,
  construct,
});

export function supports(dir: string): Support {
  const reasons: Reason[] = [];
  for (const module of allModules(loadModule(dir))) moduleReasons(module, reasons);
  return reasons.length === 0 ? { ok: true } : { ok: false, reasons };
}

/** Whether everything in a state is of types known here, so that this engine may change and destroy it. */
export function supportsState(bytes: Uint8Array): Support {
  const foreign = new Set<string>();
  for (const instance of readState(bytes, cryptoRand).instances.values()) {
    if (instance.mode === "managed" && !findType(instance.mode, instance.type)) foreign.add(instance.address);
  }
  if (foreign.size === 0) return { ok: true };
  return {
    ok: false,
    reasons: [...foreign].map((address) => ({
      construct: `the state holds ${address}, which only Terraform can manage`,
    })),
  };
}

const problem = ({ summary, detail, range }: Diagnostic): Reason =>
  range ? reason(range, `${summary}; ${detail}`) : { construct: `${summary}; ${detail}` };

function moduleReasons(module: ModuleConfig, reasons: Reason[]): void {
  for (const diagnostic of module.diagnostics) {
    if (diagnostic.severity === "error") reasons.push(problem(diagnostic));
  }
  for (const block of module.others) reasons.push(reason(headRange(block), `${block.type} blocks`));
  for (const call of module.calls.values()) {
    if (!call.module) {
      reasons.push(
        reason(
          headRange(call.block),
          `module ${JSON.stringify(call.source ?? call.name)} is not part of the template`,
        ),
      );
    }
    if (call.block.body.attributes.has("providers")) {
      reasons.push(reason(headRange(call.block), `providers passed to a module`));
    }
  }
  for (const block of module.providers) providerReasons(block, reasons);
  for (const block of module.settings) settingReasons(block, reasons);
  for (const resource of module.resources.values()) resourceReasons(resource, reasons);
}

function providerReasons(block: Block, reasons: Reason[]): void {
  const [name = ""] = block.labels;
  if (!Object.hasOwn(providers, name)) {
    reasons.push(reason(headRange(block), `provider ${JSON.stringify(name)}`));
  }
  if (name === "docker") {
    const { attributes, blocks } = dockerProviderSchema;
    for (const attribute of block.body.attributes.values()) {
      if (attribute.name === "alias" || Object.hasOwn(attributes, attribute.name)) continue;
      reasons.push(reason(rangeOf(attribute), `argument ${attribute.name} of provider "docker"`));
    }
    for (const inner of block.body.blocks) {
      const type = inner.type === "dynamic" ? (inner.labels[0] ?? "") : inner.type;
      if (Object.hasOwn(blocks, type)) continue;
      reasons.push(reason(headRange(inner), `block ${type} of provider "docker"`));
    }
  }
  if (block.body.attributes.has("alias")) reasons.push(reason(headRange(block), `an alias of a provider`));
}

function settingReasons(settings: Block, reasons: Reason[]): void {
  for (const block of settings.body.blocks) {
    if (block.type === "required_providers") {
      for (const attribute of block.body.attributes.values()) {
        const source = sourceOf(attribute.value);
        const known = Object.hasOwn(providers, attribute.name) ? providers[attribute.name] : undefined;
        const same = source === undefined || source.replace(/^registry\.terraform\.io\//, "") === known;
        if (known !== undefined && !same) {
          reasons.push(reason(rangeOf(attribute), `provider source ${JSON.stringify(source)}`));
        }
      }
    } else if (block.type === "backend" || block.type === "cloud") {
      reasons.push(reason(headRange(block), `${block.type} blocks`));
    }
  }
}

function sourceOf(value: Expression): string | undefined {
  if (value.kind !== "object") return undefined;
  const item = value.items.find(({ key }) => key.kind === "literal" && key.value.content === "source")?.value;
  return item?.kind === "literal" && typeof item.value.content === "string" ? item.value.content : undefined;
}

/** Arguments that a type lacks: by name, so that a person sees why Terraform is used. */
function argumentReasons({ block }: ResourceConfig, type: ManagedType, reasons: Reason[]): void {
  const { attributes, blocks } = type.schema;
  const lacks = (name: string): boolean =>
    type.unsupported?.has(name) === true ||
    (!Object.hasOwn(attributes, name) && !Object.hasOwn(blocks, name));
  for (const attribute of block.body.attributes.values()) {
    if (metaAttributes.has(attribute.name) || !lacks(attribute.name)) continue;
    reasons.push(reason(rangeOf(attribute), `argument ${attribute.name} of ${type.type}`));
  }
  for (const inner of block.body.blocks) {
    const name = inner.type === "dynamic" ? (inner.labels[0] ?? "") : inner.type;
    if (metaBlocks.has(inner.type) || !lacks(name)) continue;
    reasons.push(reason(headRange(inner), `block ${name} of ${type.type}`));
  }
}

const lifecycleAttributes = new Set([
  "create_before_destroy",
  "prevent_destroy",
  "ignore_changes",
  "replace_triggered_by",
]);

function resourceReasons(resource: ResourceConfig, reasons: Reason[]): void {
  const place = headRange(resource.block);
  const type = findType(resource.mode, resource.type);
  if (!type) {
    reasons.push(
      reason(place, `${resource.mode === "data" ? "data source" : "resource"} type ${resource.type}`),
    );
  }
  if (type?.mode === "managed" && type.unsupported) argumentReasons(resource, type, reasons);
  const provider = resource.provider;
  if (provider && provider.kind !== "variable") reasons.push(reason(place, `an alias of a provider`));
  if (resource.connection) reasons.push(reason(place, `connection blocks`));
  for (const block of resource.lifecycle?.body.blocks ?? []) {
    reasons.push(reason(headRange(block), `${block.type} blocks`));
  }
  for (const attribute of resource.lifecycle?.body.attributes.values() ?? []) {
    if (!lifecycleAttributes.has(attribute.name)) {
      reasons.push(reason(rangeOf(attribute), `lifecycle.${attribute.name}`));
    }
  }
  for (const block of resource.provisioners) {
    if (block.labels[0] !== "local-exec") {
      reasons.push(reason(headRange(block), `provisioner ${JSON.stringify(block.labels[0] ?? "")}`));
    }
  }
  const json = resource.block.body.json === true;
  for (const name of ["lifecycle", "provisioner", "connection", "dynamic"]) {
    if (json && resource.block.body.attributes.has(name)) {
      reasons.push(reason(place, `${name} in JSON syntax`));
    }
  }
}

/** A loaded template: the root module and the modules it calls. Nothing is evaluated here. */
import type { Attribute, Block, Expression } from "../hcl/ast.ts";
import type { Diagnostic, Range, Source } from "../hcl/source.ts";

export type Mode = "managed" | "data";

export interface VariableConfig {
  readonly name: string;
  readonly block: Block;
  readonly type?: Expression;
  readonly default?: Expression;
  readonly nullable: boolean;
  readonly sensitive: boolean;
}

export interface ResourceConfig {
  readonly mode: Mode;
  readonly type: string;
  readonly name: string;
  /** `coder_agent.main` or `data.coder_parameter.region`. */
  readonly key: string;
  readonly block: Block;
  readonly count?: Expression;
  readonly forEach?: Expression;
  readonly provider?: Expression;
  readonly dependsOn: readonly Reference[];
  readonly lifecycle?: Block;
  readonly provisioners: readonly Block[];
  readonly connection?: Block;
}

export interface CallConfig {
  readonly name: string;
  readonly block: Block;
  readonly source?: string;
  readonly count?: Expression;
  readonly forEach?: Expression;
  readonly dependsOn: readonly Reference[];
  /** Absent if its files are not here. */
  readonly module?: ModuleConfig;
}

export interface OutputConfig {
  readonly name: string;
  readonly block: Block;
  readonly value?: Expression;
  readonly sensitive: boolean;
  readonly dependsOn: readonly Reference[];
}

/** `data.coder_workspace.me.id` → root `data`, path `coder_workspace`, `me`, `id`. */
export interface Reference {
  readonly root: string;
  readonly path: readonly string[];
  readonly range: Range;
}

export interface ModuleConfig {
  /** Folder, absolute. */
  readonly dir: string;
  /** Names of the calls that lead here; empty for the root. */
  readonly path: readonly string[];
  readonly variables: ReadonlyMap<string, VariableConfig>;
  readonly locals: ReadonlyMap<string, Attribute>;
  readonly resources: ReadonlyMap<string, ResourceConfig>;
  readonly calls: ReadonlyMap<string, CallConfig>;
  readonly outputs: ReadonlyMap<string, OutputConfig>;
  readonly providers: readonly Block[];
  /** `terraform {}` blocks. */
  readonly settings: readonly Block[];
  /** Blocks of other kinds: `moved`, `import`, `check`, `removed`, `ephemeral`, unknown ones. */
  readonly others: readonly Block[];
  readonly sources: readonly Source[];
  readonly diagnostics: readonly Diagnostic[];
}

/** All modules, the root first. */
export function* allModules(root: ModuleConfig): Generator<ModuleConfig> {
  yield root;
  for (const call of root.calls.values()) if (call.module) yield* allModules(call.module);
}

/** Attributes and blocks of a resource that Terraform itself reads; the rest is the type's. */
export const metaAttributes: ReadonlySet<string> = new Set(["count", "for_each", "depends_on", "provider"]);
export const metaBlocks: ReadonlySet<string> = new Set(["lifecycle", "provisioner", "connection"]);

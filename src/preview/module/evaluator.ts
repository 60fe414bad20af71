/**
 * Values of a template's variables, locals, outputs and resources, each when it is first asked for, and once. What a
 * resource's value is, its owner says (`hooks`): the native engine plans or applies it, the preview knows parameters.
 */
import { convert } from "../cty/convert.ts";
import { toSafeInt } from "../cty/number.ts";
import * as t from "../cty/type.ts";
import * as v from "../cty/value.ts";
import { ValueError, type Value } from "../cty/value.ts";
import { type Block, type Expression, headRange, rangeOf } from "../hcl/ast.ts";
import { evaluate, pairs } from "../hcl/evaluate.ts";
import type { Budget, HclFunction, Scope } from "../hcl/scope.ts";
import { HclError, type Range } from "../hcl/source.ts";
import type { CallConfig, ModuleConfig, ResourceConfig, VariableConfig } from "./config.ts";
import { applyConstraint, readConstraint } from "./type-constraint.ts";

/** `undefined` without count and for_each. */
export type Key = number | string | undefined;

export interface Repetition {
  readonly key: Key;
  /** `each.value`. */
  readonly value?: Value;
  /** `each.key` where it is not known. */
  readonly unknownKey?: true;
}

export interface ModuleInstance {
  readonly config: ModuleConfig;
  readonly parent?: ModuleInstance;
  readonly call?: CallConfig;
  readonly at: Repetition;
  /** `module.a["x"].module.b`, empty for the root. */
  readonly address: string;
}

export interface ResourceInstance {
  readonly module: ModuleInstance;
  readonly resource: ResourceConfig;
  readonly at: Repetition;
  readonly address: string;
  readonly scope: Scope;
}

export interface Hooks {
  readonly instance: (instance: ResourceInstance) => Value;
  /** A count or for_each that is not known: an error, or one instance without index. */
  readonly unknownExpansion: "error" | "single";
  /** Value of a module output whose module's files are not here. */
  readonly missingModule?: (call: CallConfig) => Value;
}

export interface EvaluatorOptions {
  readonly root: ModuleConfig;
  /** Values of root variables; the others take their defaults, and are unknown without one. */
  readonly variables: ReadonlyMap<string, Value>;
  readonly functions: (name: string) => HclFunction | undefined;
  readonly budget: Budget;
  readonly hooks: Hooks;
  /** `path.root`, `path.module` of the root, and `path.cwd`. */
  readonly paths?: { readonly root: string; readonly cwd: string };
}

const maxDepth = 400;
const maxInstances = 10_000;

export const keyText = (key: Key): string =>
  key === undefined ? "" : typeof key === "number" ? `[${key}]` : `[${JSON.stringify(key)}]`;

export class Evaluator {
  readonly root: ModuleInstance;
  readonly #options: EvaluatorOptions;
  readonly #memo = new Map<string, Value>();
  readonly #busy = new Set<string>();
  readonly #modules = new Map<string, readonly ModuleInstance[]>();
  readonly #expansions = new Map<string, readonly Repetition[]>();

  constructor(options: EvaluatorOptions) {
    this.#options = options;
    this.root = { config: options.root, at: { key: undefined }, address: "" };
  }

  /** Names that expressions of this module see; `at` adds `each` and `count`, `self` itself. */
  scope(module: ModuleInstance, at: Repetition = { key: undefined }, self?: Value): Scope {
    return {
      budget: this.#options.budget,
      function: this.#options.functions,
      lookup: (name, path, range) => this.#lookup(module, at, self, name, path, range),
    };
  }

  variable(module: ModuleInstance, name: string): Value | undefined {
    const config = module.config.variables.get(name);
    if (!config) return undefined;
    return this.#once(module, `var.${name}`, config.block, () => this.#variable(module, config));
  }

  local(module: ModuleInstance, name: string): Value | undefined {
    const attribute = module.config.locals.get(name);
    if (!attribute) return undefined;
    return this.#once(module, `local.${name}`, attribute.value, () =>
      evaluate(attribute.value, this.scope(module)),
    );
  }

  output(module: ModuleInstance, name: string): Value | undefined {
    const config = module.config.outputs.get(name);
    if (!config) return undefined;
    return this.#once(module, `output.${name}`, config.block, () => {
      const value = config.value ? evaluate(config.value, this.scope(module)) : v.nullOf();
      return v.mark(value, config.sensitive);
    });
  }

  /** All instances of a resource, in order. */
  instances(module: ModuleInstance, resource: ResourceConfig): ResourceInstance[] {
    const id = `${module.address}|${resource.key}`;
    let expansion = this.#expansions.get(id);
    if (!expansion) {
      expansion = this.#expand(resource, module);
      this.#expansions.set(id, expansion);
    }
    const prefix = module.address === "" ? "" : `${module.address}.`;
    return expansion.map((at) => ({
      module,
      resource,
      at,
      address: `${prefix}${resource.key}${at.unknownKey ? "" : keyText(at.key)}`,
      scope: this.scope(module, at),
    }));
  }

  /** The value that other expressions see: an object, or a tuple or object of objects. */
  resource(module: ModuleInstance, resource: ResourceConfig): Value {
    return this.#once(module, resource.key, resource.block, () => {
      const instances = this.instances(module, resource);
      const values = instances.map((instance) => this.instance(instance));
      return this.#collect(resource, instances, values);
    });
  }

  instance(instance: ResourceInstance): Value {
    return this.#once(instance.module, `instance ${instance.address}`, instance.resource.block, () =>
      this.#options.hooks.instance(instance),
    );
  }

  /** Instances of a called module. */
  modules(parent: ModuleInstance, call: CallConfig): readonly ModuleInstance[] {
    const id = `${parent.address}|${call.name}`;
    const known = this.#modules.get(id);
    if (known) return known;
    const { module } = call;
    const prefix = parent.address === "" ? "" : `${parent.address}.`;
    const instances = module
      ? this.#expand(call, parent).map((at) => ({
          config: module,
          parent,
          call,
          at,
          address: `${prefix}module.${call.name}${at.unknownKey ? "" : keyText(at.key)}`,
        }))
      : [];
    this.#modules.set(id, instances);
    return instances;
  }

  /** Every module instance, the root first. */
  *allModules(from: ModuleInstance = this.root): Generator<ModuleInstance> {
    yield from;
    for (const call of from.config.calls.values()) {
      for (const inner of this.modules(from, call)) yield* this.allModules(inner);
    }
  }

  #once(module: ModuleInstance, name: string, at: Block | Expression, make: () => Value): Value {
    const id = `${module.address}|${name}`;
    const known = this.#memo.get(id);
    if (known) return known;
    const range = "labels" in at ? headRange(at) : rangeOf(at);
    if (this.#busy.has(id)) {
      throw new HclError(
        "Cycle",
        `${name} depends on itself: ${[...this.#busy].map((x) => x.slice(x.indexOf("|") + 1)).join(", ")}.`,
        range,
      );
    }
    if (this.#busy.size >= maxDepth) {
      throw new HclError("Too many steps", "References follow each other too deeply.", range);
    }
    this.#busy.add(id);
    try {
      const value = make();
      this.#memo.set(id, value);
      return value;
    } finally {
      this.#busy.delete(id);
    }
  }

  #variable(module: ModuleInstance, config: VariableConfig): Value {
    const literal = (expression: Expression): Value => evaluate(expression, literalScope(this.#options));
    const constraint = config.type ? readConstraint(config.type, literal) : undefined;
    let given: Value | undefined;
    let place: Expression | undefined;
    if (module.parent && module.call) {
      place = module.call.block.body.attributes.get(config.name)?.value;
      given = place ? evaluate(place, this.scope(module.parent, module.at)) : undefined;
    } else given = this.#options.variables.get(config.name);
    if (given === undefined || (given.content === null && !config.nullable)) {
      place = config.default;
      if (!config.default) return v.unknownOf(constraint?.type ?? t.dynamic);
      given = literal(config.default);
    }
    try {
      const value = constraint ? applyConstraint(given, constraint) : given;
      return v.mark(value, config.sensitive);
    } catch (error) {
      if (!(error instanceof ValueError)) throw error;
      throw new HclError(
        "Invalid value for variable",
        `The value of variable ${JSON.stringify(config.name)} does not fit its type: ${error.message}.`,
        place ? rangeOf(place) : headRange(config.block),
      );
    }
  }

  #expand(of: ResourceConfig | CallConfig, module: ModuleInstance): readonly Repetition[] {
    try {
      if (of.count) return this.#expandCount(of.count, module);
      if (of.forEach) return this.#expandEach(of.forEach, module);
    } catch (error) {
      const lenient = this.#options.hooks.unknownExpansion === "single" && error instanceof HclError;
      if (!lenient || error.diagnostic.summary === "Cycle") throw error;
      return [{ key: undefined, unknownKey: true, ...(of.forEach ? { value: v.unknownOf() } : {}) }];
    }
    return [{ key: undefined }];
  }

  #expandCount(expression: Expression, module: ModuleInstance): readonly Repetition[] {
    const refuse = (detail: string): never => {
      throw new HclError("Invalid count argument", detail, rangeOf(expression));
    };
    const value = evaluate(expression, this.scope(module));
    if (value.content === undefined) {
      if (this.#options.hooks.unknownExpansion === "single") return [{ key: undefined, unknownKey: true }];
      return refuse("The count depends on resource attributes that cannot be determined until apply.");
    }
    if (value.content === null) return refuse("The count is null; a whole number is required.");
    let count: number | undefined;
    try {
      const converted = convert(value, t.number).content;
      count = v.isNum(converted) ? toSafeInt(converted) : undefined;
    } catch (error) {
      if (!(error instanceof ValueError)) throw error;
    }
    if (count === undefined || count < 0) return refuse("The count must be a whole number, zero or greater.");
    if (count > maxInstances) return refuse(`The count is ${count}, at most ${maxInstances} are allowed.`);
    return Array.from({ length: count }, (_none, key) => ({ key }));
  }

  #expandEach(expression: Expression, module: ModuleInstance): readonly Repetition[] {
    const refuse = (detail: string): never => {
      throw new HclError("Invalid for_each argument", detail, rangeOf(expression));
    };
    const value = evaluate(expression, this.scope(module));
    const unknown = (): readonly Repetition[] => {
      if (this.#options.hooks.unknownExpansion === "single") {
        return [{ key: undefined, value: v.unknownOf(), unknownKey: true }];
      }
      return refuse("The keys of for_each cannot be determined until apply.");
    };
    if (value.sensitive) return refuse("Sensitive values cannot be used as for_each argument.");
    if (value.content === undefined) return unknown();
    if (value.content === null) return refuse("The for_each argument is null.");
    if (!["set", "map", "object"].includes(value.type.kind)) {
      return refuse(`A map, or a set of strings, is required, not a ${t.typeName(value.type)}.`);
    }
    const out: Repetition[] = [];
    for (const [key, item] of pairs(value)) {
      if (key.content === undefined) return unknown();
      if (typeof key.content !== "string") {
        return refuse("The set must contain strings only, none of them null.");
      }
      out.push({ key: key.content, value: item });
    }
    return out.length > maxInstances ? refuse(`At most ${maxInstances} instances are allowed.`) : out;
  }

  #collect(
    of: ResourceConfig | CallConfig,
    instances: readonly { readonly at: Repetition }[],
    values: readonly Value[],
  ): Value {
    if (instances.some(({ at }) => at.unknownKey)) return v.unknownOf();
    if (of.count) return v.tuple(values);
    if (of.forEach) {
      return v.object(
        instances.map(({ at }, index) => [String(at.key), values[index] ?? v.nullOf()] as const),
      );
    }
    return values[0] ?? v.unknownOf();
  }

  #module(parent: ModuleInstance, call: CallConfig, output: string | undefined): Value {
    if (!call.module) return this.#options.hooks.missingModule?.(call) ?? v.unknownOf();
    const instances = this.modules(parent, call);
    const single = !call.count && !call.forEach ? instances[0] : undefined;
    if (single && output !== undefined) {
      const value = this.output(single, output);
      if (!value) {
        throw new HclError(
          "Unsupported attribute",
          `Module ${JSON.stringify(call.name)} has no output ${JSON.stringify(output)}.`,
          headRange(call.block),
        );
      }
      return value;
    }
    const outputs = [...call.module.outputs.keys()];
    const values = instances.map((instance) =>
      v.object(outputs.map((name) => [name, this.output(instance, name) ?? v.nullOf()] as const)),
    );
    return this.#collect(call, instances, values);
  }

  #lookup(
    module: ModuleInstance,
    at: Repetition,
    self: Value | undefined,
    root: string,
    path: readonly string[],
    range: Range,
  ): { readonly value: Value; readonly used: number } | undefined {
    const [first, second] = path;
    const one = (value: Value | undefined) => (value ? { value, used: 1 } : undefined);
    switch (root) {
      case "var":
        return first === undefined ? undefined : one(this.variable(module, first));
      case "local":
        return first === undefined ? undefined : one(this.local(module, first));
      case "path":
        return one(this.#path(module, first));
      case "terraform":
        return first === "workspace" ? one(v.str("default")) : undefined;
      case "count":
        return first === "index"
          ? one(
              typeof at.key === "number" ? v.int(at.key) : at.unknownKey ? v.unknownOf(t.number) : undefined,
            )
          : undefined;
      case "each":
        if (at.value === undefined) return undefined;
        if (first === "key") return one(at.unknownKey ? v.unknownOf(t.string) : v.str(String(at.key)));
        return first === "value" ? one(at.value) : undefined;
      case "self":
        return self ? { value: self, used: 0 } : undefined;
      case "module": {
        const call = first === undefined ? undefined : module.config.calls.get(first);
        if (!call) return undefined;
        const single = call.module !== undefined && !call.count && !call.forEach && second !== undefined;
        return single
          ? { value: this.#module(module, call, second), used: 2 }
          : one(this.#module(module, call, undefined));
      }
      case "data": {
        const resource = module.config.resources.get(`data.${first}.${second}`);
        return resource ? { value: this.resource(module, resource), used: 2 } : undefined;
      }
      default: {
        const resource = first === undefined ? undefined : module.config.resources.get(`${root}.${first}`);
        if (resource) return { value: this.resource(module, resource), used: 1 };
        if (first === undefined) return undefined;
        throw new HclError(
          "Reference to undeclared resource",
          `A managed resource ${JSON.stringify(root)} ${JSON.stringify(first)} has not been declared here.`,
          range,
        );
      }
    }
  }

  #path(module: ModuleInstance, name: string | undefined): Value | undefined {
    const paths = this.#options.paths ?? { root: ".", cwd: "/" };
    if (name === "root") return v.str(paths.root);
    if (name === "cwd") return v.str(paths.cwd);
    if (name !== "module") return undefined;
    const inner = module.config.dir.slice(this.root.config.dir.length).replace(/^\//, "");
    return v.str(inner === "" ? paths.root : `${paths.root === "." ? "" : `${paths.root}/`}${inner}`);
  }
}

/** Defaults and types may use functions but refer to nothing. */
const literalScope = (options: EvaluatorOptions): Scope => ({
  budget: options.budget,
  function: options.functions,
  lookup: () => undefined,
});

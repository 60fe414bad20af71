/** The provisioners of a resource's instance, one after the other. */
import type { Clock } from "#quartz/clock.ts";
import { convert } from "#preview/cty/convert.ts";
import * as t from "#preview/cty/type.ts";
import * as v from "#preview/cty/value.ts";
import { ValueError, type Value } from "#preview/cty/value.ts";
import { type Block, type Expression, headRange } from "#preview/hcl/ast.ts";
import { evaluate } from "#preview/hcl/evaluate.ts";
import type { Scope } from "#preview/hcl/scope.ts";
import { HclError } from "#preview/hcl/source.ts";
import type { ProvisionWhen } from "./apply.ts";
import { type Command, runCommand } from "./local-exec.ts";

export interface ProvisionOptions {
  readonly address: string;
  readonly base: string;
  readonly workDir: string;
  readonly env: Readonly<Record<string, string>>;
  readonly clock: Clock;
  readonly log: (line: string) => void;
  readonly warn: (line: string) => void;
  readonly canceled: AbortSignal;
  readonly killed: AbortSignal;
}

const keyword = (block: Block, name: string): string => {
  const value: Expression | undefined = block.body.attributes.get(name)?.value;
  if (value?.kind === "variable") return value.name;
  return value?.kind === "literal" && typeof value.value.content === "string" ? value.value.content : "";
};

/** `scope` sees `self`. Throws when one fails that must not. */
export async function provision(
  blocks: readonly Block[],
  when: ProvisionWhen,
  scope: Scope,
  options: ProvisionOptions,
): Promise<void> {
  for (const block of blocks) {
    if ((keyword(block, "when") || "create") !== when) continue;
    options.log(`${options.address}: Provisioning with 'local-exec'...`);
    try {
      await runBlock(block, scope, options);
    } catch (error) {
      const text = error instanceof Error ? error.message : String(error);
      const message = `local-exec provisioner error: ${text} (${block.source.file} line ${headRange(block).start.line})`;
      if (keyword(block, "on_failure") !== "continue" || options.canceled.aborted) throw new Error(message);
      options.warn(`${options.address}: ${message}`);
    }
  }
}

async function runBlock(block: Block, scope: Scope, options: ProvisionOptions): Promise<void> {
  const read = (name: string, type: t.Type): Value => {
    const attribute = block.body.attributes.get(name);
    if (!attribute) return v.nullOf(type);
    const value = convert(evaluate(attribute.value, scope), type);
    if (!v.isWhollyKnown(value)) {
      throw new HclError("Unknown value", `${name} is not known.`, headRange(block));
    }
    return value;
  };
  let values: readonly Value[];
  try {
    values = [
      read("command", t.string),
      read("interpreter", t.list(t.string)),
      read("working_dir", t.string),
      read("environment", t.map(t.string)),
      read("quiet", t.bool),
    ];
  } catch (error) {
    if (error instanceof ValueError) throw new Error(error.message);
    throw error;
  }
  const [command, interpreter, workingDir, environment, quiet] = values;
  const text = command?.content;
  if (typeof text !== "string" || text === "") throw new Error("command must be a non-empty string");
  const plain: Command = {
    command: text,
    interpreter:
      interpreter && interpreter.content !== null ? v.items(interpreter).map(textOf) : ["/bin/sh", "-c"],
    ...(typeof workingDir?.content === "string" ? { workingDir: workingDir.content } : {}),
    environment: Object.fromEntries(
      [...(environment ? v.entries(environment) : [])].flatMap(([name, item]) =>
        item.content === null ? [] : [[name, textOf(item)] as const],
      ),
    ),
  };
  const secret = values.some(v.deepSensitive);
  const say = (line: string): void => options.log(`${options.address} (local-exec): ${line}`);
  if (secret) say("(output suppressed due to sensitive value in config)");
  else if (quiet?.content !== true) {
    say(`Executing: ${JSON.stringify([...plain.interpreter, plain.command])}`);
  }
  await runCommand(plain, { ...options, line: secret ? () => {} : say });
}

function textOf(value: Value): string {
  return typeof value.content === "string" ? value.content : "";
}
